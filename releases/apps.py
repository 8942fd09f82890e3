"""Django's handle on this app."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """The releases app."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "releases"
