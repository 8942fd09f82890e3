"""Django's handle on what guards the desk."""

from django.apps import AppConfig


class SecurityConfig(AppConfig):
    """The ground floor's only app: it knows people and sessions, and nothing of the desk."""

    name = "sensequant.lib.security"
    label = "security"
    verbose_name = "Security"

    def ready(self) -> None:
        """Listen to logins, logouts and changed roles."""
        from sensequant.lib.security import receivers

        receivers.connect()
