"""`manage.py compare_prices [--json]`: the catalogue's API prices beside those of genai-prices; needs no database."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from django.core.management.base import BaseCommand

from costing.engine import catalogue
from costing.management.price_comparison import Comparison, Difference, by_price, compare

PACKAGE = "genai-prices"


class Command(BaseCommand):
    help = "List API prices on which the catalogue and the genai-prices package differ. Nothing is changed or sent."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 – comes with the local set only
        except ModuleNotFoundError:
            self.stderr.write(f"{PACKAGE} is not installed; install requirements/local.txt")
            sys.exit(2)
        ours = catalogue.load()
        # some providers price by the hour of the day: noon, so that a day's comparisons are the same
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        found = compare(ours.api_models, ours.embedding_models, get_snapshot().providers, noon)
        other = f"{PACKAGE} {version(PACKAGE)}"
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(found, ours.version, other), ensure_ascii=False))
            return
        for line in _lines(found, ours.version, other):
            self.stdout.write(line)


def _as_json(found: Comparison, ours: str, other: str) -> dict[str, Any]:
    return {
        "catalogue": ours,
        "compared_with": other,
        **asdict(found),
        "differences_by_price": by_price(found.differences),
    }


def _lines(found: Comparison, ours: str, other: str) -> list[str]:
    """A summary, then one line a difference: model, price, ours with its source, theirs, ratio."""
    lines = [
        f"Catalogue {ours} against {other}",
        f"{found.matched} of {found.rows} rows found there, {found.agreeing} of them without a difference; "
        f"{len(found.differences)} prices differ",
        f"Models only there, of the same providers: {sum(found.only_theirs.values())}",
    ]
    if found.other_providers:
        lines.append(f"Providers not there: {', '.join(found.other_providers)}")
    lines += [f"Not there: {key}" for key in found.unmatched]
    return [*lines, *(_line(one) for one in found.differences)]


def _line(one: Difference) -> str:
    ours = "none" if one.ours is None else f"{one.ours:g} ({one.source}, {one.as_of})"
    ratio = "" if one.ratio is None else f", × {one.ratio:.3g}"
    theirs = "none" if one.theirs is None else f"{one.theirs:g}"
    return f"{one.provider}:{one.model} {one.price}: ours {ours}, theirs {theirs}{ratio}"
