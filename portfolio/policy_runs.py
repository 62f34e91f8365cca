"""Jobs around the policy: each kind of run is done by what is registered for it here.

What does the work may lie above the task that asks for it (re-assessing is an act), so it is registered once the apps
are loaded.
"""

from __future__ import annotations

from typing import Protocol

from portfolio.models import PolicyRun


class Runner(Protocol):
    """Does a waiting run; True when this call brought its result."""

    def __call__(self, run_id: int, *, worker: str = ...) -> bool: ...


_RUNNERS: dict[str, Runner] = {}


def register(kind: str, runner: Runner) -> None:
    """Let `runner` do the runs of this kind."""
    _RUNNERS[kind] = runner


def run(run_id: int, *, worker: str = "inline") -> bool:
    """Do a waiting run, whatever its kind; False when it is gone or there was nothing to take."""
    kind = PolicyRun.objects.filter(pk=run_id).values_list("kind", flat=True).first()
    return kind is not None and _RUNNERS[kind](run_id, worker=worker)
