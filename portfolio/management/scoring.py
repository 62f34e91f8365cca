"""How well recommendations agree with labelled cases: shares with 95 % intervals, a confusion table, plain text. Pure.

A label is what a team in fact chose or measured: {"target": …, "also": [targets that an expert could defend as well],
"status": … and "start_with": … where the source tells}. Strict counts the target alone, lenient those of `also` too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from portfolio.governance.scores import wilson
from portfolio.questionnaire.outcome import Recommendation, Status, Target

EXPECTED = ("target", "also", "status", "start_with")
_TARGETS, _STATUSES = tuple(x.value for x in Target), tuple(x.value for x in Status)


class LabelError(ValueError):
    """A label that cannot be scored; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Label:
    target: str
    also: tuple[str, ...] = ()
    status: str | None = None
    start_with: str | None = None


@dataclass(frozen=True)
class Scored:
    """One case: its label beside what the engine recommends."""

    id: str
    title: str
    task_type: str  # "open" where the question is
    label: Label
    target: str
    status: str
    start_with: str

    @property
    def strict(self) -> bool:
        return self.target == self.label.target

    @property
    def lenient(self) -> bool:
        return self.strict or self.target in self.label.also

    def to_dict(self) -> dict[str, Any]:
        label = self.label
        return {
            "id": self.id,
            "title": self.title,
            "task_type": self.task_type,
            "expected": {
                "target": label.target,
                "also": list(label.also),
                "status": label.status,
                "start_with": label.start_with,
            },
            "got": {"target": self.target, "status": self.status, "start_with": self.start_with},
            "strict": self.strict,
            "lenient": self.lenient,
        }


def label(raw: Any) -> Label:
    """The label under a case's `expected`. Raises LabelError."""
    if raw is None:
        raise LabelError("has no expected: add {target, also, status, start_with}, target at least")
    if not isinstance(raw, dict):
        raise LabelError("expected is not an object: write {target, also, status, start_with}")
    if unknown := sorted(set(raw) - set(EXPECTED)):
        raise LabelError(f"expected has an unknown key {unknown[0]!r}: write one of {', '.join(EXPECTED)}")
    also = raw.get("also", [])
    if not isinstance(also, list):
        raise LabelError("expected.also is not a list: write the further targets as a list, or leave it out")
    for target in also:
        _known("also", target, _TARGETS)
    for key, codes in (("status", _STATUSES), ("start_with", _TARGETS)):
        if raw.get(key) is not None:
            _known(key, raw[key], codes)
    target = _known("target", raw.get("target"), _TARGETS)
    return Label(target, tuple(also), raw.get("status"), raw.get("start_with"))


def _known(key: str, value: Any, codes: Sequence[str]) -> str:
    if value is None:
        raise LabelError(f"expected.{key} is missing: write one of {', '.join(codes)}")
    if not isinstance(value, str) or value not in codes:
        raise LabelError(f"expected.{key} {value!r} is unknown: write one of {', '.join(codes)}")
    return value


def scored(case_id: str, title: str, task_type: str, expected: Label, found: Recommendation) -> Scored:
    return Scored(case_id, title, task_type, expected, found.target, found.status, found.start_with)


def share(hits: Iterable[bool]) -> dict[str, Any] | None:
    """{"right", "of", "share", "low", "high"}, or None where there is nothing to count."""
    found = list(hits)
    if not found:
        return None
    right, of = sum(found), len(found)
    interval = wilson(right / of, of)
    return {"right": right, "of": of, "share": right / of, "low": interval.low, "high": interval.high}


def score(cases: Sequence[Scored]) -> dict[str, Any]:
    """Everything that is printed, JSON-ready; `confusion` is {expected target: {target that came: number}}."""
    confusion = {
        wanted: dict(Counter(case.target for case in cases if case.label.target == wanted)) for wanted in _TARGETS
    }
    return {
        "cases": [case.to_dict() for case in cases],
        "accuracy": _both(cases),
        "by_target": _split(cases, lambda case: case.label.target, _TARGETS),
        "by_task_type": _split(cases, lambda case: case.task_type, sorted({case.task_type for case in cases})),
        "confusion": {wanted: came for wanted, came in confusion.items() if came},
        "status": share(case.status == case.label.status for case in cases if case.label.status),
        "start_with": share(case.start_with == case.label.start_with for case in cases if case.label.start_with),
    }


def _both(cases: Sequence[Scored]) -> dict[str, Any]:
    return {"strict": share(case.strict for case in cases), "lenient": share(case.lenient for case in cases)}


def _split(cases: Sequence[Scored], key: Callable[[Scored], str], groups: Sequence[str]) -> dict[str, Any]:
    found = {group: [case for case in cases if key(case) == group] for group in groups}
    return {group: _both(members) for group, members in found.items() if members}


def text(result: dict[str, Any]) -> str:
    """The score as tables for a terminal."""
    parts = [
        _table(("case", "expected", "also", "got", "strict", "lenient"), [_row(case) for case in result["cases"]]),
        "right, of all, share (95 % interval)\n" + _shares("in all", result["accuracy"]),
        "by expected target\n" + _groups(result["by_target"]),
        "by task type\n" + _groups(result["by_task_type"]),
        "expected (down) against got (across)\n" + _confusion(result["confusion"]),
    ]
    known = [(name, result[name]) for name in ("status", "start_with") if result[name]]
    if known:
        rows = [(f"{name} where expected", words(found)) for name, found in known]
        differing = [line for case in result["cases"] for line in _differs(case)]
        parts.append("\n".join([_table(("", "right"), rows), *differing]))
    return "\n\n".join(parts)


def words(found: dict[str, Any] | None) -> str:
    """One share as people read it: “40 of 66, 61 % (49–72)”."""
    if found is None:
        return "–"
    low, high = 100 * found["low"], 100 * found["high"]
    return f"{found['right']} of {found['of']}, {100 * found['share']:.0f} % ({low:.0f}–{high:.0f})"


def _mark(right: bool) -> str:
    return "✓" if right else "✗"


def _row(case: dict[str, Any]) -> tuple[str, ...]:
    wanted = case["expected"]
    also = ", ".join(wanted["also"]) or "–"
    marks = (_mark(case["strict"]), _mark(case["lenient"]))
    return (case["id"], wanted["target"], also, case["got"]["target"], *marks)


def _differs(case: dict[str, Any]) -> list[str]:
    pairs = [(key, case["expected"][key], case["got"][key]) for key in ("status", "start_with")]
    return [
        f"{case['id']}: {key} {came}, expected {wanted}" for key, wanted, came in pairs if wanted not in (None, came)
    ]


def _groups(groups: dict[str, Any]) -> str:
    rows = [(name, words(both["strict"]), words(both["lenient"])) for name, both in groups.items()]
    return _table(("", "strict", "lenient"), rows)


def _shares(name: str, both: dict[str, Any]) -> str:
    return _groups({name: both})


def _confusion(confusion: dict[str, dict[str, int]]) -> str:
    rows = [(wanted, *(str(came.get(got, 0)) for got in _TARGETS)) for wanted, came in confusion.items()]
    return _table(("", *_TARGETS), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
