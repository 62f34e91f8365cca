"""Django's registration of the app."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "organisations"
