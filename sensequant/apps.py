"""Django's handle on the wiring: the Celery app and the system checks are loaded with it."""

from django.apps import AppConfig


class SenseQuantConfig(AppConfig):
    """The wiring as an app, so that its commands, checks and templates are found."""

    name = "sensequant"
    verbose_name = "SenseQuant"

    def ready(self) -> None:
        """Load the Celery app, which ``shared_task`` binds to, and the checks of the settings."""
        from sensequant import celery, checks

        checks.register()
        celery.app.set_default()
