"""Django's registration of the app."""

from django.apps import AppConfig


class CostingConfig(AppConfig):
    name = "costing"
