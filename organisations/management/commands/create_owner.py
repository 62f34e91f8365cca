"""The first organisation and its owner: `manage.py create_owner ana@example.org --organisation "Example Ltd"`."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from organisations import actions
from organisations.models import Organisation, User


class Command(BaseCommand):
    help = "Create an organisation with its owner. Without --password a password is made and printed this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the owner's e-mail address; an existing account keeps its password")
        parser.add_argument("--organisation", required=True, help="name of the organisation")
        parser.add_argument("--name", default="", help="the owner's name (default: the part before the @)")
        parser.add_argument(
            "--password", default="", help="the owner's password; visible to others in the process list"
        )
        parser.add_argument(
            "--only-first", action="store_true", help="do nothing when there is an organisation already"
        )
        parser.add_argument("--staff", action="store_true", help="let the owner into /admin/ with all rights")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["only_first"] and Organisation.objects.exists():
            self.stdout.write("There is an organisation already; nothing was created.")
            return
        email, title = options["email"].strip().lower(), " ".join(options["organisation"].split())
        _check(email, title)
        with transaction.atomic():
            user = User.objects.filter(email__iexact=email).first()
            password = "" if user else options["password"] or secrets.token_urlsafe(12)
            user = user or _account(
                email, options["name"] or email.partition("@")[0], password, is_staff=options["staff"]
            )
            actions.found_organisation(name=title, by=user)
        self.stdout.write(self.style.SUCCESS(f"{user.email} owns the organisation {title}."))
        if password and not options["password"]:
            self.stdout.write(f"Password, shown this once: {password}\nChange it after signing in, under your name.")
        elif not password:
            self.stdout.write("The account existed before; sign in with its password.")


def _check(email: str, title: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise CommandError(f"{email!r} is not an e-mail address; write it like name@company.com") from error
    longest = Organisation._meta.get_field("name").max_length or 0
    if not 0 < len(title) <= longest:
        raise CommandError(f"--organisation has {len(title)} characters; give a name of 1 to {longest}")


def _account(email: str, name: str, password: str, *, is_staff: bool) -> User:
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise CommandError(f"--password is refused: {' '.join(error.messages)}") from error
    return User.objects.create_user(email, password, name=name[:120], is_staff=is_staff, is_superuser=is_staff)
