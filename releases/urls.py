"""The addresses of the release pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from releases.views import audits, releases

urlpatterns: list[URLPattern] = [
    path("releases", releases.releases_page, name="releases"),
    path("audits", audits.audits_page, name="audits"),
    path("audits/start", audits.start_audit, name="start_audit"),
    path("audits/<slug:audit_id>/", audits.audit_page, name="audit"),
    path("audits/<slug:audit_id>/cancel", audits.cancel_audit, name="cancel_audit"),
    path("audits/<slug:audit_id>/files/<path:name>", audits.audit_file, name="audit_file"),
]
