"""Django's handle on this app."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """The monitoring app."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "monitoring"
