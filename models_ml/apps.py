"""Django's handle on this app."""

from django.apps import AppConfig


class ModelsMlConfig(AppConfig):
    """The models_ml app."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "models_ml"
    verbose_name = "Learning"
