"""Ways without building on a model: fixed rules, a look-up, a product to buy. They never move the target. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portfolio.questionnaire.exit_tests import cases_to_try
from portfolio.questionnaire.outcome import Alternative
from portfolio.questionnaire.spec import Value

# Work whose right answer can be so fixed that only rules give it every time.
RULE_LIKE = frozenset({"classification", "normalisation", "extraction", "tool_selection"})


def without_model(answers: Mapping[str, Value]) -> tuple[Alternative, ...]:
    """What the answers point to, the cheapest first; () where they point to nothing of the kind."""
    return tuple(_found(answers))


def _found(answers: Mapping[str, Value]) -> Iterator[Alternative]:
    cases, _ = cases_to_try(answers)
    if answers.get("exact_lookup") == "yes":
        yield Alternative(
            "lookup",
            f"Look it up in the table. Check first on {cases:,} real requests that the key stands in each of them as "
            "it stands in the table; what has no key is left for a model.",
            "The right answer is always one entry of a table, found by an exact key.",
            ("exact_lookup",),
        )
    yield from _rules(answers, cases)
    if answers.get("existing_product") == "yes":
        where = answers.get("data_location")
        kept = ", and whether your data may go there" if where in ("own_cloud", "on_premises", "on_device") else ""
        yield Alternative(
            "buy",
            f"Buy it. Check first that the product passes the same test on {cases:,} of your own requests, what it "
            f"costs at your volume{kept}.",
            "There is a product that already does this job.",
            tuple(q for q in ("existing_product", "data_location" if kept else "") if q),
        )


def _rules(answers: Mapping[str, Value], cases: int) -> Iterator[Alternative]:
    first = (
        f"Check first: write the rules down, let a colleague apply them to {cases:,} real requests by hand, and count "
        "the requests that no rule covers."
    )
    if answers.get("rule_writable") == "yes":
        yield Alternative(
            "rules",
            f"Write a program of fixed rules. {first}",
            "The right answer can be written down as rules that a program follows.",
            ("rule_writable",),
        )
    elif answers.get("rule_writable") is None and _must_never_vary(answers):
        kind = "second_task_type" if answers.get("task_type") not in RULE_LIKE else "task_type"
        yield Alternative(
            "rules",
            f"Perhaps fixed rules suffice. {first}",
            "The same input must always give the same answer, and it may never be wrong: a program can promise that, a "
            "model cannot.",
            (kind, "behaviour_needs", "error_tolerance"),
        )


def _must_never_vary(answers: Mapping[str, Value]) -> bool:
    return (
        "deterministic_output" in (answers.get("behaviour_needs") or ())
        and answers.get("error_tolerance") == "never"
        and bool(RULE_LIKE & {answers.get("task_type"), answers.get("second_task_type")})
    )
