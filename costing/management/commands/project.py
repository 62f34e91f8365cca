"""`manage.py project SCENARIO.json`: one projection as JSON on standard output; needs no database."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from costing.engine import catalogue
from costing.engine.inputs import ScenarioSpec, check_months, spec_from_dict
from costing.engine.project import project
from costing.engine.setting import DEFAULT_DRAWS


class Command(BaseCommand):
    help = "Project a scenario: every option's cost by month, with its uncertainty, as JSON."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scenario", metavar="SCENARIO.json", help="title, start, months, inputs, choices")
        parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same result")
        rounding = "rounded up to a power of two, above 4,096 to a multiple of 1,024"
        parser.add_argument("--draws", type=int, default=DEFAULT_DRAWS, help=rounding)
        parser.add_argument("--months", type=int, help="horizon, 1 to 36; overrides the scenario's")

    def handle(self, *_args: Any, **options: Any) -> None:
        path: str = options["scenario"]
        try:
            spec = _read(path, options["months"])
            result = project(spec, catalogue.load(), seed=options["seed"], draws=options["draws"])
        except ValueError as error:
            self.stderr.write(f"{path}: {error}")
            sys.exit(2)
        self.stdout.write(json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False))


def _read(path: str, months: int | None) -> ScenarioSpec:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8 text") from error
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from error
    spec = spec_from_dict(data)
    return spec if months is None else replace(spec, months=check_months(months))
