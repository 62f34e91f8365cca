"""What follows from each side of a dispute, in the words of the page."""

from __future__ import annotations

from dataclasses import dataclass

from costing.charts.format import band, money
from costing.public import Band
from portfolio.changes import LAYER_WORDS, NEED_LABELS, robustness_in_words
from portfolio.consequences import Basis, Comparison, Consequence
from portfolio.questionnaire.outcome import Need
from portfolio.questionnaire.wording import listed
from portfolio.views.overview import RISK_TONES
from portfolio.views.sides import Dispute, Side

BASIS_WORDS = {
    Basis.AS_PROJECTED: "Prices, seed and draws are those of the costs page.",
    Basis.OLDER: "The costs page still shows figures of earlier answers or prices; these are of today’s.",
    Basis.NONE: "The costs of this use case have not been computed yet; these figures are what that would give today.",
}


@dataclass(frozen=True)
class Following:
    """One side with what follows from it."""

    side: Side
    follows: Consequence
    dearer: str  # than the first side, "" for the first

    @property
    def firmness(self) -> str:
        return robustness_in_words(self.follows.recommendation.robustness)

    @property
    def layers(self) -> list[str]:
        """The layers on which the sides differ: “retrieval: required”."""
        return [f"{LAYER_WORDS[one.key]}: {NEED_LABELS[Need(one.need)].lower()}" for one in self.follows.layers]

    @property
    def risks(self) -> list[tuple[str, str, str]]:
        """(title, level, tone) of each risk on which the sides differ; no level where it does not arise."""
        return [(risk.title, risk.level, RISK_TONES.get(risk.level, "")) for risk in self.follows.risks]


def following(dispute: Dispute, comparison: Comparison) -> list[Following]:
    return [
        Following(side, follows, in_words(follows.dearer_by))
        for side, follows in zip(dispute.followed, comparison.sides, strict=True)
    ]


def summary(comparison: Comparison) -> str:
    """The sentence above a comparison: what depends on the answer."""
    depending = [] if comparison.is_same_target else ["what to build"]
    depending += [] if comparison.is_same_cost else ["what the first year costs"]
    depending += ["which risks there are"] if comparison.sides[0].risks else []
    depending += ["what stands in the way"] if any(one.blockers for one in comparison.sides) else []
    if not depending:
        return "Whichever counts: the same recommendation, the same cost, the same risks."
    return f"It decides {listed(depending)}."


def the_same(comparison: Comparison) -> str:
    """What is the same whichever counts; empty where nothing is."""
    kept = [
        _counted(comparison.same_layers, "layer"),
        _counted(comparison.same_risks, "risk"),
        _counted(comparison.same_blockers, "thing that stands in the way", "things that stand in the way"),
    ]
    return listed(words for words in kept if words)


def in_words(difference: Band | None) -> str:
    """ "$12k more than the first ($8–20k)"; both directions are named where the band holds both."""
    if difference is None:
        return ""
    low, middle, high = difference.p10, difference.p50, difference.p90
    if low == high == 0:
        return "the same as the first"
    if low < 0 < high:
        about = "about the same as" if middle == 0 else f"{money(abs(middle))} {_way(middle)} than"
        return f"{about} the first ({money(-low)} less to {money(high)} more)"
    near, far = sorted((abs(low), abs(high)))
    return f"{money(abs(middle))} {_way(middle)} than the first ({band(near, far)})"


def _way(usd: float) -> str:
    return "less" if usd < 0 else "more"


def _counted(number: int, singular: str, plural: str = "") -> str:
    if not number:
        return ""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
