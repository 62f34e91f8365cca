"""Accounts for allauth: they exist by invitation or by the command `create_owner`, and their address is vouched for.

Sign-in, password changes, two-factor authentication and their rate limits are allauth's own.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from organisations.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_email(self, email: str) -> str:
        """Addresses are stored in lower case, as invitations and `User` do."""
        return str(super().clean_email(email)).lower()


def vouch_for_address(*, instance: User, update_fields: Any = None, **_: Any) -> None:
    """After a person is saved: the address of the account, and no earlier one, is allauth's verified primary address.

    The invitation or an administrator has vouched for it. Another address that a person adds can take its place only
    once it is confirmed, so nobody acts under an address that is not theirs.
    """
    if update_fields is not None and "email" not in update_fields:
        return
    addresses = EmailAddress.objects.filter(user=instance)
    if not addresses.filter(email=instance.email, primary=True).exists():
        addresses.filter(primary=True).delete()
        addresses.update_or_create(user=instance, email=instance.email, defaults={"primary": True, "verified": True})
