"""`manage.py estimate training|memory|serving CASES.csv`: predictions for a table of cases; needs no database."""

from __future__ import annotations

import csv
import inspect
import io
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from costing.engine import catalogue
from costing.engine.measured.estimate import Estimated, estimate
from costing.engine.measured.part import Part
from costing.engine.measured.parts import PARTS
from costing.engine.measured.table import written

MOST_REFUSALS = 10  # that are explained one by one


class Command(BaseCommand):
    help = (
        "Predict training speed, training memory or serving speed for every row of a CSV. The table comes back on "
        "standard output with predicted columns; where measurements stand beside them, their accuracy goes to "
        "standard error. A blank cell takes its default; --columns lists columns and defaults. A table separated by "
        "semicolons or tabs comes back as it came."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=tuple(PARTS), help="what to predict")
        parser.add_argument("cases", metavar="CASES.csv", nargs="?", help="one case per row; - reads standard input")
        parser.add_argument("--columns", action="store_true", help="list the columns and what a blank one means")
        parser.add_argument("--by", metavar="COLUMN", default="", help="accuracy also by the values of this column")

    def handle(self, *_args: Any, **options: Any) -> None:
        path, part = options["cases"], PARTS[options["what"]]
        if options["columns"]:
            self.stdout.write(_columns(part))
            return
        try:
            name, content = _read(path)
            separator = _separator(content)
            found = estimate(part, name, _separated(content, separator, ","), catalogue.load(), by=options["by"])
        except ValueError as error:
            self.stderr.write(str(error))
            sys.exit(2)
        out = written(found.header, found.rows).encode()
        self.stdout.write(_separated(out, ",", separator).decode(), ending="")
        self._report(options["what"], found)

    def _report(self, what: str, found: Estimated) -> None:
        if found.unused:
            self.stderr.write(f"not used: column {', '.join(found.unused)}")
        for group, score in found.scores.items():
            self.stderr.write(f"{what}{f', {group}' if group else ''}: {score.line()}")
        if found.unpredicted:
            self.stderr.write(f"{what}: {found.unpredicted} measured rows could not be predicted: they do not fit")
        for number, why in found.refused[:MOST_REFUSALS]:
            self.stderr.write(f"row {number}: {why}")
        if len(found.refused) > MOST_REFUSALS:
            self.stderr.write(f"and {len(found.refused) - MOST_REFUSALS} more rows that do not fit")


def _columns(part: Part[Any, Any]) -> str:
    """The columns of a part and what a blank one means: the documentation of the function that reads them."""
    return f"{', '.join(part.columns)}\n\n{inspect.getdoc(sys.modules[part.read.__module__])}"


def _read(path: str | None) -> tuple[str, bytes]:
    """What messages call the file, and what is in it."""
    if path is None:
        raise ValueError("CASES.csv is missing: give the path of a table, or - for standard input")
    if path == "-":
        return "standard input", sys.stdin.buffer.read()
    try:
        return path, Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from error


def _separator(content: bytes) -> str:
    """What separates the cells of the header: spreadsheets write semicolons where the comma is the decimal sign."""
    header = content.split(b"\n", 1)[0]
    found = next((mark for mark in (b";", b"\t") if mark in header and b"," not in header), b",")
    return found.decode()


def _separated(content: bytes, old: str, new: str) -> bytes:
    """The same table with its cells separated by `new`; what is no table stays as it is, for its reader to say so."""
    if old == new:
        return content
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=new, lineterminator="\n")
    try:
        writer.writerows(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=old))
    except (UnicodeDecodeError, csv.Error):
        return content
    return out.getvalue().encode()
