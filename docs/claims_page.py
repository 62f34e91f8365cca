"""The page docs/claims.md: two claims about the price of a training run, under inputs that prove and refute them."""

from costing.charts.format import compact, count, money, percent
from costing.engine.catalogue import Catalogue
from costing.engine.presets import CLAIMS, Preset, holds, presets, run_cost

INTRODUCTION = """\
# Two claims about the price of a training run

Neither is true or false: each follows from tokens, utilisation, price and attempts. `python manage.py training_run`
prints the same, `python manage.py training_run PRESET --tokens … --attempts …` changes any input. This is compute
alone: people, data, evaluation and what comes after are in a projection.
"""
HEADER = ("run", "model, method", "tokens", "attempts", "of the peak", "price", "GPU-hours", "cost", "claim", "source")


def claims_page(catalogue: Catalogue) -> str:
    return "\n".join([INTRODUCTION, *(_claim(key, words, catalogue) for key, words in CLAIMS.items())])


def _claim(key: str, words: str, catalogue: Catalogue) -> str:
    lines = [
        f"## {words}",
        "",
        f"| {' | '.join(HEADER)} |",
        "|---" * len(HEADER) + "|",
        *(_row(one, catalogue) for one in presets() if one.claim == key),
        "",
    ]
    return "\n".join(lines)


def _row(one: Preset, catalogue: Catalogue) -> str:
    cost = run_cost(one, catalogue)
    price = f"${one.usd_per_mtok:g} per million tokens" if one.managed else f"${one.usd_per_gpu_hour:g} per GPU-hour"
    share = "–" if one.managed else f"{percent(one.utilisation)} of {one.gpu}"
    hours = "–" if cost.gpu_hours is None else count(round(cost.gpu_hours))
    verdict = "holds" if holds(one, cost) else "does not hold"
    cells = (
        f"{one.title} (`{one.key}`)",
        f"{one.model}, {one.method}",
        compact(one.tokens),
        f"{one.attempts:g}",
        share,
        price,
        hours,
        money(cost.usd),
        verdict,
        f"{one.source}, {one.as_of}",
    )
    return f"| {' | '.join(cells)} |"
