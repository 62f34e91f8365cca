"""Django's registration of the app."""

from django.apps import AppConfig
from django.db.models.signals import post_save


class OrganisationsConfig(AppConfig):
    name = "organisations"

    def ready(self) -> None:
        from organisations.accounts import vouch_for_address  # noqa: PLC0415 - models can be imported only from now on
        from organisations.models import User  # noqa: PLC0415

        post_save.connect(vouch_for_address, sender=User, dispatch_uid="organisations.vouch_for_address")
