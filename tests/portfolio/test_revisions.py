"""Values of revisions in words."""

import pytest

from costing.engine.inputs import Input, Origin, Provenance, Shape
from portfolio.revisions import value_words

SAID = Provenance(Origin.ASSUMPTION, "supposed", "", "2026-11-21")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        # uniform over 20 to 40 %: the middle is 30 %, a tenth lies below 22 % and a tenth above 38 %
        (Input("batch_share", "", "share", "tokens", 0.2, 0.2, 0.4, Shape.UNIFORM, SAID), "30 % (22 – 38)"),
        (
            Input("requests_per_day", "", "requests/day", "volume", 1_200, 800, 2_000, Shape.LOGNORMAL, SAID),
            "1,200 requests/day (800 – 2,000)",
        ),
    ],
)
def test_brackets_hold_quantiles_whatever_the_shape(one: Input, words: str) -> None:
    assert value_words(one) == words
