"""What follows from a side, in words."""

import numpy as np
import pytest

from costing.public import Band, FirstYear
from portfolio.consequences import Basis, Comparison, Consequence, RiskHere
from portfolio.questionnaire.outcome import Blocker
from portfolio.questionnaire.recommend import recommend
from portfolio.views.following import in_words, summary, the_same

BLOCKER = Blocker("data", "blocker", "Somebody may train on the data", "Legal", "data_rights")


def band(p10: float, p50: float, p90: float) -> Band:
    return Band(p10, p50, p90, p50)


def consequence(usd: float = 1_000.0, dearer_by: Band | None = None, **differing: object) -> Consequence:
    told: dict[str, object] = {"layers": (), "risks": (), "blockers": (), **differing}
    first_year = FirstYear("rag_api", 2, np.array([usd, usd]))
    found = recommend({"task_type": "knowledge_qa"}, explore=False)
    return Consequence("x", found, first_year, dearer_by, **told)  # type: ignore[arg-type]


def comparison(*sides: Consequence, same: tuple[int, int, int] = (3, 0, 0)) -> Comparison:
    return Comparison(sides, Basis.NONE, 4_096, *same)


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (None, ""),
        (band(0, 0, 0), "the same as the first"),
        (band(8_000, 12_000, 20_000), "$12k more than the first ($8–20k)"),
        (band(-20_000, -12_000, -8_000), "$12k less than the first ($8–20k)"),
        (band(-3_000, 12_000, 20_000), "$12k more than the first ($3k less to $20k more)"),
        (band(-3_000, 0, 20_000), "about the same as the first ($3k less to $20k more)"),
        (band(0, 10, 20), "$10 more than the first ($0–$20)"),
    ],
)
def test_how_much_dearer(difference: Band | None, words: str) -> None:
    assert in_words(difference) == words


def test_what_depends_on_the_answer() -> None:
    alike = comparison(consequence(), consequence(), same=(3, 7, 1))
    assert summary(alike) == "Whichever counts: the same recommendation, the same cost, the same risks."
    assert the_same(alike) == "3 layers, 7 risks and 1 thing that stands in the way"
    dearer = comparison(consequence(), consequence(2_000.0))
    assert summary(dearer) == "It decides what the first year costs."
    risky = comparison(consequence(risks=(RiskHere("Leak", "high"),)), consequence(2_000.0, blockers=(BLOCKER,)))
    assert summary(risky) == "It decides what the first year costs, which risks there are and what stands in the way."
