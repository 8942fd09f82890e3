"""Django's handle on this app."""

from django.apps import AppConfig


class TradingConfig(AppConfig):
    """The trading app."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "trading"
