"""Every address of the desk: one include per app."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from sensequant import views
from sensequant.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("favicon.ico", RedirectView.as_view(url=static("img/favicon-demo.svg"))),
    path("readyz", views.readyz, name="readyz"),
    path("settings", views.settings_page, name="settings"),
    path("login", auth.LoginView.as_view(template_name="login.html"), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("api/guide", views.api_guide, name="api_guide"),
    path("api/v1/", api.urls),
    path("", include("trading.urls")),
    path("", include("models_ml.urls")),
    path("", include("monitoring.urls")),
    path("", include("releases.urls")),
]
