"""The addresses of the release pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from releases.views import releases

urlpatterns: list[URLPattern] = [
    path("releases", releases.releases_page, name="releases"),
]
