"""Django's handle on what guards the desk."""

from django.apps import AppConfig


class SecurityConfig(AppConfig):
    """The ground floor's only app: it knows people and sessions, and nothing of the desk."""

    name = "sensequant.lib.security"
    label = "security"
    verbose_name = "Security"
