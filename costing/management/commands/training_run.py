"""`manage.py training_run [PRESET]`: what one training run costs, with every input shown and open to change."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand

from costing.charts.format import compact, money
from costing.engine import catalogue
from costing.engine.presets import CLAIMS, Preset, holds, preset, presets, run_cost

CHANGES = {  # input of a preset → what the option that changes it says
    "tokens": "trained tokens, passes included",
    "utilisation": "share of the GPU's dense peak, 0 to 1",
    "usd_per_gpu_hour": "rent of one GPU, US dollars",
    "usd_per_mtok": "a provider's price of a million trained tokens, US dollars",
    "attempts": "runs until one is good",
}


class Command(BaseCommand):
    help = (
        "Cost of one training run. Without a preset: all of them, grouped by the claim they prove or refute. With one: "
        "its inputs and cost, each input open to change."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("preset", nargs="?", default="", help="key of a preset")
        for name, words in CHANGES.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=float, help=words)
        parser.add_argument("--model", help="open model of the catalogue, instead of the preset's")
        parser.add_argument("--gpu", help="GPU of the catalogue, instead of the preset's")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            _check_options(options)
            chosen = [_changed(preset(options["preset"]), options)] if options["preset"] else list(presets())
            known = catalogue.load()
            costs = [(one, run_cost(one, known)) for one in chosen]
        except ValueError as error:
            self.stderr.write(str(error))
            sys.exit(2)
        for claim, words in CLAIMS.items():
            mine = [(one, cost) for one, cost in costs if one.claim == claim]
            if mine:
                self.stdout.write(f"{words}:")
            for one, cost in mine:
                verdict = "holds" if holds(one, cost) else "does not hold"
                self.stdout.write(f"  {one.key}: {one.title}\n    {_inputs(one)}")
                hours = "" if cost.gpu_hours is None else f"{cost.gpu_hours:,.1f} GPU-hours, "
                self.stdout.write(f"    {hours}{money(cost.usd)}: the claim {verdict}")


def _check_options(options: dict[str, Any]) -> None:
    """An input changes one preset; without one it would change nothing."""
    given = [name for name in (*CHANGES, "model", "gpu") if options[name] is not None]
    if given and not options["preset"]:
        known = ", ".join(one.key for one in presets())
        raise ValueError(f"--{given[0].replace('_', '-')} changes one preset; name it: {known}")


def _changed(one: Preset, options: dict[str, Any]) -> Preset:
    changes = {name: options[name] for name in (*CHANGES, "model", "gpu") if options[name] is not None}
    if one.managed and {"gpu", "usd_per_gpu_hour", "utilisation"} & set(changes):
        raise ValueError(f"{one.key} is trained by a provider; change usd_per_mtok, tokens or attempts")
    if not one.managed and "usd_per_mtok" in changes:
        raise ValueError(f"{one.key} is trained on own GPUs; change usd_per_gpu_hour, utilisation, tokens or attempts")
    return replace(one, **changes)


def _inputs(one: Preset) -> str:
    parts = [
        f"{one.model}, {one.method}",
        f"{compact(one.tokens)} tokens",
        f"{one.attempts:g} attempt{'' if one.attempts == 1 else 's'}",
    ]
    if one.managed:
        parts.append(f"${one.usd_per_mtok:g} per million tokens")
    else:
        parts += [f"{one.utilisation:.0%} of {one.gpu}'s peak", f"${one.usd_per_gpu_hour:g} per GPU-hour"]
    return ", ".join([*parts, f"source {one.source}, {one.as_of}"])
