"""Django's handle on this app."""

from django.apps import AppConfig

from sensequant.lib import storage
from trading.adapters import sealed_folders


class TradingConfig(AppConfig):
    """The trading app."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "trading"

    def ready(self) -> None:
        """Let what is sealed be shared with other machines."""
        sealed_folders.elsewhere = storage  # a module with push and pull
