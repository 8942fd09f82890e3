"""Django's handle on this app."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """The releases app."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "releases"

    def ready(self) -> None:
        """Listen to who comes in and who is given which right."""
        from releases.services import granting, happenings

        happenings.connect()
        granting.connect()
