import numpy as np
import pytest
from scipy import stats

from costing.engine.distributions import Z90, lognormal_parameters, quantile
from costing.engine.inputs import Input, Origin, Provenance, Shape

ENDS = np.array([-Z90, 0.0, Z90])


def one(shape, value, low, high):
    return Input("x", "X", "u", "money", value, low, high, shape, Provenance(Origin.ANSWER, ""))


def test_a_lognormal_goes_through_its_p10_and_p90_and_the_geometric_middle():
    assert quantile(one(Shape.LOGNORMAL, 5, 4, 25), ENDS).round(9).tolist() == [4, 10, 25]
    assert quantile(one(Shape.EVENT_TIME, 5, 4, 25), ENDS).round(9).tolist() == [4, 10, 25]


def test_the_lognormal_parameters_are_the_closed_form():
    mu, sigma = lognormal_parameters(13, 29)  # (ln 13 + ln 29)/2, (ln 29 − ln 13)/2.5631
    assert (round(mu, 4), round(sigma, 4)) == (2.9661, 0.313)
    with pytest.raises(ValueError, match="needs 0 < p10 <= p90"):
        lognormal_parameters(0, 3)


def test_a_normal_goes_through_its_p10_and_p90():
    assert quantile(one(Shape.NORMAL, 0, -3, 5), ENDS).round(9).tolist() == [-3, 1, 5]


def test_pert_is_scipys_beta():
    z = np.linspace(-3, 3, 41)
    beta = stats.beta(1 + 4 * 0.25, 1 + 4 * 0.75, loc=2, scale=8)
    assert np.abs(quantile(one(Shape.PERT, 4, 2, 10), z) - beta.ppf(stats.norm.cdf(z))).max() < 8e-3


def test_triangular_is_scipys():
    z = np.linspace(-3, 3, 41)
    expected = stats.triang(0.25, loc=2, scale=8).ppf(stats.norm.cdf(z))
    assert np.allclose(quantile(one(Shape.TRIANGULAR, 4, 2, 10), z), expected)


def test_uniform_is_linear_in_the_probability_and_fixed_does_not_move():
    assert quantile(one(Shape.UNIFORM, 5, 0, 10), ENDS).round(9).tolist() == [1, 5, 9]
    assert quantile(one(Shape.FIXED, 7, 0, 0), ENDS).tolist() == [7, 7, 7]


@pytest.mark.parametrize("shape", [s for s in Shape if s is not Shape.FIXED])
def test_a_higher_score_never_gives_a_lower_value(shape):
    assert (np.diff(quantile(one(shape, 3, 1, 9), np.linspace(-5, 5, 101))) >= 0).all()
