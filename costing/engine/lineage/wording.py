"""Formulas in the words and the figures of a result. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from costing.engine import assumptions
from costing.engine.lineage.components import Lineage
from costing.engine.lineage.formula import Formula
from costing.engine.lineage.prices import price_label

# Where an input's label is too long, or what stands before its comma says too little.
INPUT_LABELS = {
    "gpu_usd_per_hour": "GPU rent for serving",
    "training_gpu_usd_per_hour": "GPU rent for training",
    "minor_review_share": "review share of a small change",
    "overlap_cost_share": "extra share of two branches",
    "overlap_months": "months side by side",
    "new_examples_share": "share of new examples",
    "churn_preparation_share": "work share of a changed document",
    "full_tuning_work_factor": "extra work on all weights",
    "full_regression_share": "extra evaluation after training all weights",
    "tuning_governance_factor": "extra review of a tuned model",
    "tokenizer_factor": "this model’s tokens per token",
    "language_token_factor": "tokens of the language against English",
    "validation_share": "share of held-out examples",
    "billed_padding_factor": "tokens billed per token",
    "tuned_endpoint_usd_per_month": "rent of the tuned model’s endpoint",
    "gpu_price_log_rate_per_year": "yearly change of GPU rents",
}
ROW_LABELS = {
    "embedding_dimensions": "dimensions of a vector",
    "api_long_threshold": "the long-context threshold",
    "tuned_long_threshold": "the long-context threshold",
}


def evaluated(drawn: Lineage, known: Mapping[str, float]) -> dict[str, float]:
    """The known values and every quantity that follows from them."""
    values = dict(known)
    for name in drawn.quantities:
        _evaluate(drawn, name, values)
    return values


def _evaluate(drawn: Lineage, name: str, values: dict[str, float]) -> None:
    formula = drawn.quantities[name].formula
    if name in values or formula is None:
        return
    for inner in formula.names:
        if inner in drawn.quantities:
            _evaluate(drawn, inner, values)
    value = formula.value(values)
    if value is not None:
        values[name] = value


def label_of(drawn: Lineage, name: str) -> str:
    """What a name stands for, in words."""
    if name in drawn.quantities:
        return drawn.quantities[name].label
    if name in ROW_LABELS:
        return ROW_LABELS[name]
    if name in INPUT_LABELS:
        return INPUT_LABELS[name]
    known = assumptions.table()
    return _inside(known[name].label.split(",")[0]) if name in known else price_label(name)


def _inside(label: str) -> str:
    """A label inside a line: without its capital, unless that is an abbreviation's."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def in_words(drawn: Lineage, formula: Formula) -> str:
    return formula.written(lambda name: label_of(drawn, name), figure)


def in_figures(formula: Formula, values: Mapping[str, float], shown: Callable[[str, float], str]) -> str:
    """The formula with its values put in; empty where one of them is not known."""
    if formula.value(values) is None:
        return ""
    return formula.written(lambda name: shown(name, values[name]), figure)


def figure(value: float) -> str:
    """A number with four significant digits, thousands grouped: 12,340; 0.0021; 1.5."""
    if value == 0:
        return "0"
    if abs(value) >= 1e6 and value == int(value):
        return f"{value:,.0f}"
    rounded = float(f"{value:.4g}")
    if abs(rounded) >= 1000:
        return f"{rounded:,.0f}"
    return f"{rounded:.10f}".rstrip("0").rstrip(".")


def dollars(value: float) -> str:
    """An amount with four significant digits where it is small, to the dollar where it is large."""
    sign, size = ("−" if value < 0 else ""), abs(value)
    return f"{sign}${size:,.2f}" if 1 <= size < 1000 else f"{sign}${figure(size)}"
