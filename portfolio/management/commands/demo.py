"""Adds the demo organisation, or many of them, or prints the demo's sign-ins."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from costing.public import run_projection
from organisations.models import Organisation
from portfolio import projections
from portfolio.demo import build as demo
from portfolio.demo import bulk
from portfolio.demo.definition import definition
from portfolio.lifecycle import Stage
from portfolio.models import UseCase


class Command(BaseCommand):
    help = (
        "Add the demo organisation with ten use cases; --sign-ins prints who can sign in to it. "
        "With --organisations and --use-cases: many invented organisations, to look at size."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="only if there is no organisation at all")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
        parser.add_argument("--sign-ins", action="store_true", help="print the demo's sign-ins, change nothing")
        parser.add_argument("--organisations", type=int, metavar="N", help="build N organisations instead")
        parser.add_argument("--use-cases", type=int, metavar="M", help="M use cases in all (100 an organisation)")
        parser.add_argument("--seed", type=int, default=2026, help="the same seed builds the same organisations")
        parser.add_argument(
            "--compute",
            action="store_true",
            help="work out a projection for each use case at once, about a second each; "
            "without it, projections are asked for on the costs page and the portfolio's run covers all",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._check(options)
        if options["migrate"]:
            call_command("migrate", verbosity=0)
        if options["sign_ins"]:
            self._print_sign_ins()
        elif options["organisations"]:
            self._build_many(options)
        elif options["if_empty"] and Organisation.objects.exists():
            return
        elif demo.exists():
            raise CommandError("the demo organisation is there already; sign in to it, or start with an empty DATA_DIR")
        else:
            self.stdout.write("Building the demo organisation …")
            demo.build()

    def _check(self, options: dict[str, Any]) -> None:
        if options["organisations"] is None:
            for name in ("use_cases", "compute"):
                if options[name]:
                    raise CommandError(f"--{name.replace('_', '-')} goes with --organisations; say how many")
        elif options["if_empty"] or options["sign_ins"]:
            raise CommandError("--organisations goes with neither --if-empty nor --sign-ins; leave them out")
        elif options["organisations"] < 1:
            raise CommandError(f"--organisations is {options['organisations']}; build at least 1")

    def _build_many(self, options: dict[str, Any]) -> None:
        if bulk.exists():
            raise CommandError("these organisations are there already; sign in to them, or use an empty DATA_DIR")
        count, began = options["organisations"], time.monotonic()
        use_cases = count * 100 if options["use_cases"] is None else options["use_cases"]
        self.stdout.write(f"Building {count:,} organisations with {use_cases:,} use cases …")
        try:
            built = list(
                bulk.build(organisations=count, use_cases=use_cases, seed=options["seed"], say=self.stdout.write)
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Built in {time.monotonic() - began:.0f} s.")
        if options["compute"]:
            self._compute([size.organisation for size in built])
        first = built[0]
        self.stdout.write(f"Sign in to {first.organisation} as {first.owner.email}, password {demo.PASSWORD}")

    def _compute(self, organisations: list[Organisation]) -> None:
        """A projection of each use case that is not retired, in the product's own way, one after the other."""
        rows = UseCase.objects.filter(organisation__in=organisations).exclude(stage=Stage.RETIRED)
        total, began = rows.count(), time.monotonic()
        for done, use_case in enumerate(rows.select_related("owner").order_by("pk").iterator(100), start=1):
            run_projection(projections.refresh(use_case=use_case, by=use_case.owner).pk)
            if done % 25 == 0 or done == total:
                left = (time.monotonic() - began) / done * (total - done)
                self.stdout.write(f"{done:,} of {total:,} projections, about {left / 60:.0f} min left")

    def _print_sign_ins(self) -> None:
        if not demo.exists():
            return
        self.stdout.write(f"Demo sign-ins (password for all: {demo.PASSWORD})")
        for person in definition()["people"]:
            self.stdout.write(f"  {person['email']:36} {person['role']:10} {person['name']}, {person['title']}")
