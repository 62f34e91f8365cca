"""What somebody wrote beside the thresholds they try out, kept in their session until it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portfolio.models import PolicyRun
from portfolio.permissions import SignedInRequest

KEY = "policy_draft"
KEPT = ("note", "version", "restores")


def keep_draft(request: SignedInRequest, run: PolicyRun, said: Mapping[str, Any]) -> None:
    request.session[KEY] = {"run": run.pk, **{name: said.get(name) for name in KEPT}}


def draft_of(request: SignedInRequest, run: PolicyRun) -> dict[str, Any]:
    """Note, version and restored version of this person's own draft; {} for a trial that is not theirs."""
    draft = request.session.get(KEY) or {}
    return {name: draft[name] for name in KEPT} if draft.get("run") == run.pk else {}


def forget_draft(request: SignedInRequest) -> None:
    request.session.pop(KEY, None)
