"""allauth's adapter: an account exists only through an accepted invitation or the command `create_owner`.

Sign-in, password changes, two-factor authentication and their rate limits are allauth's own.
"""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_email(self, email: str) -> str:
        """Addresses are stored in lower case, as invitations and `User` do."""
        return str(super().clean_email(email)).lower()
