"""A trial's result in words: the headline, the ways from → to, and the changed use cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portfolio.forms.register import STATUSES
from portfolio.models import UseCase
from portfolio.questionnaire.outcome import Status, Target
from portfolio.questionnaire.rules.explained import Explained, explained
from portfolio.questionnaire.rules.table import RULES
from portfolio.questionnaire.wording import METHODS, TARGETS, listed

NAMED_WAYS = 3  # in the headline
_RULES = {rule.id: rule for rule in RULES}


@dataclass(frozen=True)
class Way:
    """One row of the table from → to."""

    count: int
    before: str
    after: str
    approach_before: str
    approach_after: str
    kind: str  # one of `trials.CHANGES`


@dataclass(frozen=True)
class Changed:
    """One use case that would change; `use_case` is None if it is gone by now."""

    use_case: UseCase | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    rules_new: tuple[Explained, ...]
    rules_gone: tuple[Explained, ...]
    blockers_new: tuple[str, ...]
    blockers_gone: tuple[str, ...]
    method_before: str
    method_after: str

    @property
    def is_same_cost(self) -> bool:
        return str(self.before["option"]) == str(self.after["option"])


def headline(result: Mapping[str, Any]) -> str:
    """ "3 of 412 use cases would change: 2 from fine-tuning to prompting alone and 1 from ready to not ready." """
    changed, assessed = result["changed"], result["assessed"]
    if not assessed:
        return "No use case has answers yet, so nothing would change."
    if not changed:
        return f"None of the {assessed:,} use cases would change." if assessed > 1 else "The use case would not change."
    told: Counter[tuple[str, str, str]] = Counter()  # other targets may go the same way
    for way in ways(result):
        told[way.kind, way.before, way.after] += way.count
    named = [_in_headline(*way, count) for way, count in list(told.items())[:NAMED_WAYS]]
    if rest := changed - sum(list(told.values())[:NAMED_WAYS]):
        named.append(f"{rest:,} in other ways")
    return f"{changed:,} of {assessed:,} use case{'s' * (assessed != 1)} would change: {listed(named)}."


def _in_headline(kind: str, before: str, after: str, count: int) -> str:
    if kind == "blockers":
        return f"{count:,} would keep the answer under other conditions"
    return f"{count:,} from {before} to {after}"


def ways(result: Mapping[str, Any]) -> list[Way]:
    """The ways from → to with how many go each, the weightiest kind first."""
    return [
        Way(
            count=row["count"],
            before=_end(row["kind"], row["from"]),
            after=_end(row["kind"], row["to"]),
            approach_before=row["from"][0],
            approach_after=row["to"][0],
            kind=row["kind"],
        )
        for row in result["ways"]
    ]


def changed(rows: Sequence[Mapping[str, Any]]) -> list[Changed]:
    """These changes with their use cases; one query."""
    found = UseCase.objects.select_related("unit").in_bulk([row["use_case"] for row in rows])
    return [
        Changed(
            use_case=found.get(row["use_case"]),
            before=row["before"],
            after=row["after"],
            rules_new=_explained(row["rules_new"]),
            rules_gone=_explained(row["rules_gone"]),
            blockers_new=tuple(row["blockers_new"]),
            blockers_gone=tuple(row["blockers_gone"]),
            method_before=METHODS.get(row["before"]["method"] or "", ""),
            method_after=METHODS.get(row["after"]["method"] or "", ""),
        )
        for row in rows
    ]


def _explained(rules: Sequence[str]) -> tuple[Explained, ...]:
    return tuple(explained(_RULES[rule]) for rule in rules if rule in _RULES)


def _end(kind: str, end: Sequence[str]) -> str:
    if kind == "status":
        return f"“{STATUSES[Status(end[1])]}”"
    if kind == "method":
        return METHODS.get(end[1], end[1])
    return TARGETS[Target(end[0])]
