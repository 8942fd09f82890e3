"""Every address of the desk: one include per app."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from sensequant import accounts, views
from sensequant.api import api

admin.autodiscover()  # here and not at the start of every process: the engine and the workers show no page
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("favicon.ico", RedirectView.as_view(url=static("img/favicon-demo.svg"))),
    path("readyz", views.readyz, name="readyz"),
    path("settings", views.settings_page, name="settings"),
    path("login", accounts.Login.as_view(), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("account", accounts.account_page, name="account"),
    path("account/begin", accounts.begin_factor, name="account_begin"),
    path("account/finish", accounts.finish_factor, name="account_finish"),
    path("account/remove", accounts.remove_factor, name="account_remove"),
    path("account/password", accounts.change_password, name="account_password"),
    path("admin/password_change/", accounts.admin_password),  # the admin's own would not ask for the second factor
    path("admin/login/", accounts.admin_login),  # the admin's own would not ask for the second factor
    path("admin/", admin.site.urls),
    path("api/guide", views.api_guide, name="api_guide"),
    path("api/v1/", api.urls),
    path("", include("trading.urls")),
    path("", include("models_ml.urls")),
    path("", include("monitoring.urls")),
    path("", include("releases.urls")),
]

handler404 = views.not_found
