"""Django's registration of the app."""

from django.apps import AppConfig


class PortfolioConfig(AppConfig):
    name = "portfolio"
