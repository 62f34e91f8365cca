import math

import pytest
from scipy.stats import spearmanr

from costing.engine.measured.score import score


def test_by_hand():
    found = score([100, 130, 50, 210], [100, 100, 100, 100])
    assert found.n == 4
    assert found.median_error == pytest.approx((0.3 + 0.5) / 2)
    assert found.within_25 == 0.25
    assert found.within_2x == 0.75  # half is still within a factor of two
    assert found.bias == pytest.approx(0.15)
    assert math.isnan(found.rank)  # all measured alike


def test_the_rank_correlation_is_spearmans():
    predicted, measured = [3.0, 1.0, 2.0, 2.0, 9.0, 5.0], [2.0, 1.0, 4.0, 3.0, 8.0, 8.0]
    assert score(predicted, measured).rank == pytest.approx(spearmanr(predicted, measured).statistic)


def test_in_words():
    assert score([1, 2], [1, 2]).line() == (
        "n 2, median absolute error 0.0%, within ±25 % 100.0%, within a factor 2 100.0%, rank correlation –, bias +0.0%"
    )


@pytest.mark.parametrize(("predicted", "measured"), [([], []), ([1.0], [1.0, 2.0])])
def test_nothing_to_compare(predicted, measured):
    with pytest.raises(ValueError, match="at least one prediction for every measurement"):
        score(predicted, measured)
