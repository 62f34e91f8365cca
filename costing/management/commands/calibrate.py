"""`manage.py calibrate`: fits the methods' few constants on the published measurements; needs no database."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from costing.engine import catalogue
from costing.engine.bands import BANDS
from costing.engine.calibration import CALIBRATION, fitted
from costing.engine.measured.bands import coverage
from costing.engine.measured.calibrate import Calibration, calibrate
from costing.engine.measured.ledger import FOLDS, RESIDUALS, texts
from costing.engine.measured.parts import PARTS
from costing.engine.measured.score import score

TOLERANCE = 0.01  # of a constant: what another machine's arithmetic may change


class Command(BaseCommand):
    help = (
        "Fit the constants of training speed, training memory and serving speed on the published measurements, once "
        "with all sources and once without each, and write constants, folds, residuals and bands beside the catalogue. "
        "The same rows give the same constants."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=tuple(PARTS), help="with --check: fit this part alone")
        parser.add_argument("--check", action="store_true", help="fit, write nothing, exit 1 where constants differ")
        parser.add_argument("--as-of", default="", metavar="YYYY-MM-DD", help="the day the fit is dated; today")
        parser.add_argument("--directory", default=str(CALIBRATION.parent), help="where the four files are written")

    def handle(self, *_args: Any, **options: Any) -> None:
        day = options["as_of"] or date.today().isoformat()  # noqa: DTZ011 – a day of the calendar, not a moment
        try:
            date.fromisoformat(day)
        except ValueError:
            self.stderr.write(f"--as-of: {day!r} is not a day written YYYY-MM-DD")
            sys.exit(2)
        if options["only"] and not options["check"]:
            self.stderr.write("--only goes with --check: the files hold all parts, fitted on one day")
            sys.exit(2)
        directory = Path(options["directory"])
        if not options["check"] and not (directory.is_dir() and os.access(directory, os.W_OK)):
            self.stderr.write(
                f"--directory: {directory} is no folder that can be written"
            )  # said before minutes of fits
            sys.exit(2)
        known = catalogue.load()
        parts = [PARTS[options["only"]]] if options["only"] else list(PARTS.values())
        found = [calibrate(part, known, self.stderr.write) for part in parts]
        for one in found:
            self._report(one)
        if options["check"]:
            sys.exit(1 if self._differences(found) else 0)
        written = texts(found, {part.name: part.priors for part in PARTS.values()}, day)
        files = {
            CALIBRATION.name: written.constants,
            FOLDS.name: written.folds,
            RESIDUALS.name: written.residuals,
            BANDS.name: written.bands,
        }
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")
        self.stdout.write(f"written: {', '.join(files)}")

    def _report(self, found: Calibration) -> None:
        rows = [row for row in found.residuals if row.used]
        truth = [row.measured for row in rows]
        for words, column in (
            ("in sample", "in_sample"),
            ("leaving one document out", "left_out"),
            ("leaving one publisher out", "publisher_left_out"),
        ):
            line = score([getattr(row, column) for row in rows], truth).line()
            self.stdout.write(f"{found.part}, {words}: {line}")
        covered = coverage(found.residuals)[found.part]
        self.stdout.write(f"{found.part}, rows within the P10–P90 made without their source: {covered:.1%}")

    def _differences(self, found: list[Calibration]) -> bool:
        """Whether a constant in use is another than what the rows give; each is named."""
        differ = False
        for one in found:
            in_use = {line.name: line.value for line in fitted() if line.part == one.part}
            now = {each.name: getattr(one.constants, each.name) for each in fields(one.constants)}
            for name, value in in_use.items():
                if abs(now[name] / value - 1) > TOLERANCE:
                    self.stdout.write(f"{one.part}, {name}: {value:g} in use, {now[name]:g} by the rows")
                    differ = True
        return differ
