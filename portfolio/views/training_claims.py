"""Two often heard prices of a training run, under which inputs each holds, and where it turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from costing.charts.format import compact, count, money, money_exact, percent
from costing.public import catalogue, training_claims
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.forms.training_claims import LABELS, UNITS, ClaimForm, as_typed
from portfolio.permissions import SignedInRequest

UNPROCESSABLE = 422


@dataclass(frozen=True)
class Run:
    """A training run with what it costs, whether the claim holds for it, and where it turns."""

    preset: training_claims.Preset
    cost: training_claims.RunCost
    holds: bool
    turns: tuple[str, ...]

    @property
    def claim(self) -> str:
        return str(training_claims.CLAIMS[self.preset.claim])

    @property
    def usd(self) -> str:
        return money_exact(self.cost.usd) if self.cost.usd < 1_000 else money(self.cost.usd)


@login_required
@require_GET
def claims(request: SignedInRequest) -> HttpResponse:
    """Every preset with its inputs and result, and one run to change; nothing is stored."""
    require(request, Permission.VIEW)
    runs = [run_of(one) for one in training_claims.presets()]
    start = next((run for run in runs if run.preset.key == request.GET.get("preset")), runs[0])
    is_sent = "tokens" in request.GET
    form = ClaimForm(request.GET if is_sent else as_typed(start.preset), start=start.preset)
    shown = run_of(form.run()) if form.is_valid() else None
    context = {
        "groups": [
            (text, [run for run in runs if run.preset.claim == key]) for key, text in training_claims.CLAIMS.items()
        ],
        "form": form,
        "start": start,
        "shown": shown,
        "is_changed": is_sent,
        "numbers": [(form[name], UNITS[name]) for name in LABELS],
    }
    return render(request, "portfolio/training_claims.html", context, status=200 if shown else UNPROCESSABLE)


CLAIM_URLS = [path("training-claims/", claims, name="training-claims")]


def run_of(preset: training_claims.Preset) -> Run:
    cost = training_claims.run_cost(preset, catalogue.load())
    turns = tuple(_turn_words(turning) for turning in training_claims.turnings(preset, cost))
    return Run(preset, cost, training_claims.holds(preset, cost), turns)


def _turn_words(turning: training_claims.Turning) -> str:
    """ "from 104 million to 208 million tokens"."""
    words: Mapping[str, Any] = {
        "tokens": (compact, "trained tokens"),
        "attempts": (count, "attempts"),
        "usd_per_gpu_hour": (money_exact, "a GPU-hour"),
        "usd_per_mtok": (money_exact, "a million tokens"),
        "utilisation": (percent, "utilisation"),
    }
    written, unit = words[turning.name]
    if turning.never:
        return f"at no number of {unit}" if turning.name == "attempts" else f"at no {unit}"
    if turning.most == float("inf"):
        return f"from {written(turning.least)} {unit} on"
    if turning.least <= 0:
        return f"up to {written(turning.most)} {unit}"
    return f"from {written(turning.least)} to {written(turning.most)} {unit}"
