"""What changed since the run before and why, and what settling the largest carriers would bring. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache

from portfolio.models import PortfolioRun, PortfolioShare
from portfolio.views.portfolio_money import Coin

MOVERS = 6
KEPT_SECONDS = 86_400
WORTH_SAYING = 0.01  # narrower by less is not worth a sentence
# cause → (label, what it is in a sentence)
CAUSES = {
    "volume": ("Volume", "volumes changed"),
    "price": ("Prices", "prices changed"),
    "answers": ("Answers", "answers changed"),
    "decision": ("Decisions", "it is to be built differently"),
    "built": ("Now live", "what runs by now needs no building any more"),
    "model": ("Time and model", "the months and the model of costs moved on"),
    "new": ("New use cases", "new, or priced for the first time"),
    "gone": ("Use cases gone", "retired, removed or without figures now"),
}
NUMBERS = {1: "this one", 2: "these two", 3: "these three", 4: "these four", 5: "these five"}


@dataclass(frozen=True)
class Cause:
    label: str
    words: str
    cents: int
    width: float  # of the largest, in percent


@dataclass(frozen=True)
class Mover:
    use_case_id: int
    title: str
    words: str
    why: str


@dataclass(frozen=True)
class Changes:
    reading: str
    causes: list[Cause]
    total: str
    movers: list[Mover]


def carrier_words(run: PortfolioRun, coin: Coin) -> str:
    """What the year's band would lose if the open questions of the largest carriers were settled; "" where little."""
    carriers = (run.result or {}).get("carriers") or {}
    known = carriers.get("known") or []
    if not known or known[-1]["narrower"] < WORTH_SAYING:
        return ""
    width = carriers["p90_usd"] - carriers["p10_usd"]
    less = width - (known[-1]["p90_usd"] - known[-1]["p10_usd"])
    which = NUMBERS.get(len(known), f"these {len(known)}")
    return (
        f"Were the costs of {which} known exactly, the year’s band would be {coin.words(less)} narrower: "
        f"settling their open questions is the way there."
    )


def of(run: PortfolioRun, coin: Coin) -> Changes | None:
    """None where there is no earlier run to compare with."""
    found = (run.result or {}).get("changes")
    if not found:
        return None
    before, after = int(found["before_cents"]), int(found["after_cents"])
    causes: Mapping[str, int] = {key: int(found["causes"][key]) for key in CAUSES if found["causes"].get(key)}
    shown = coin.parts(list(causes.values()))
    largest = max((abs(cents) for cents in shown), default=0) or 1
    rows = [
        Cause(CAUSES[key][0], _signed(coin, cents), cents, 100 * abs(cents) / largest)
        for key, cents in zip(causes, shown, strict=True)
    ]
    since = datetime.fromisoformat(found["since"])
    return Changes(
        reading=_reading(coin, before, after, rows, since),
        causes=sorted(rows, key=lambda row: -abs(row.cents)),
        total=_signed(coin, sum(shown)),
        movers=_movers(run, coin),
    )


def _reading(coin: Coin, before: int, after: int, rows: list[Cause], since: datetime) -> str:
    day = f"{since:%-d %B %Y}"
    if not rows or before == after == 0:
        return f"The expected year is what it was on {day}."
    change = after - before
    most = max(rows, key=lambda row: abs(row.cents))
    share = f" ({change / before:+.0%})".replace("-", "−").replace("%", "\u00a0%") if before else ""
    if change == 0:
        return f"The expected year is what it was on {day}, though causes moved it both ways."
    side = "up" if change > 0 else "down"
    words = f"The expected year is {side} {coin.words(abs(change) / 100)}{share} since {day}"
    return f"{words}; “{most.label}” moved it most." if len(rows) > 1 else f"{words}, all of it by “{most.label}”."


def _movers(run: PortfolioRun, coin: Coin) -> list[Mover]:
    """The use cases whose expected year moved most, each with its weightiest cause; worked out once per run."""
    key = f"portfolio-movers:{run.pk}:{run.summed_at and run.summed_at.timestamp()}"
    kept: list[tuple[int, int, str]] | None = cache.get(key)
    if kept is None:
        rows = PortfolioShare.objects.filter(run=run, change__isnull=False).order_by()
        told = rows.values_list("use_case", "change")
        moved = [(use_case, *_sum_and_cause(change or {})) for use_case, change in told]
        kept = sorted((row for row in moved if row[1]), key=lambda row: (-abs(row[1]), row[0]))[:MOVERS]
        cache.set(key, kept, KEPT_SECONDS)
    shares = PortfolioShare.objects.filter(run=run, use_case__in=[row[0] for row in kept])
    titles = dict(shares.order_by().values_list("use_case", "use_case__title"))
    return [
        Mover(use_case, titles[use_case], _signed(coin, round(coin.of(cents))), CAUSES.get(why, ("", why))[1])
        for use_case, cents, why in kept
        if use_case in titles
    ]


def _sum_and_cause(change: Mapping[str, Any]) -> tuple[int, str]:
    causes: Mapping[str, int] = change.get("causes") or {}
    most = max(causes, key=lambda cause: abs(causes[cause]), default="")
    return sum(causes.values()), most


def _signed(coin: Coin, cents: int) -> str:
    words = coin.short(cents)
    return f"+{words}" if cents > 0 else words
