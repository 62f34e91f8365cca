"""Adds the demo organisation, or prints its sign-ins."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from organisations.models import Organisation
from portfolio.demo import build as demo
from portfolio.demo.definition import definition


class Command(BaseCommand):
    help = "Add the demo organisation with ten use cases; --sign-ins prints who can sign in to it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="only if there is no organisation at all")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
        parser.add_argument("--sign-ins", action="store_true", help="print the demo's sign-ins, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["migrate"]:
            call_command("migrate", verbosity=0)
        if options["sign_ins"]:
            self._print_sign_ins()
        elif options["if_empty"] and Organisation.objects.exists():
            return
        elif demo.exists():
            raise CommandError("the demo organisation is there already; sign in to it, or start with an empty DATA_DIR")
        else:
            self.stdout.write("Building the demo organisation …")
            demo.build()

    def _print_sign_ins(self) -> None:
        if not demo.exists():
            return
        self.stdout.write(f"Demo sign-ins (password for all: {demo.PASSWORD})")
        for person in definition()["people"]:
            self.stdout.write(f"  {person['email']:36} {person['role']:10} {person['name']}, {person['title']}")
