"""Random portfolios: what must hold for every one of them."""

import numpy as np
import pytest

from costing.engine.finance import band
from costing.engine.joint.carriers import narrowed, shares_of_variance, total_of
from costing.engine.joint.items import Simulated, pooled
from costing.engine.joint.pool import Pool, crossing, saving, together
from costing.engine.setting import prepare
from tests.costing.engine.joint.portfolios import DRAWS, MONTHS, SEED, some_items, some_portfolio, worked
from tests.costing.engine.scenarios import CATALOGUE

SEEDS = range(8)


def pool_of(found: list[Simulated]) -> Pool:
    return pooled(found, draws=DRAWS, months=MONTHS)


@pytest.mark.parametrize("seed", SEEDS)
def test_p90_of_the_sum_is_less_than_the_sum_of_p90s(seed: int) -> None:
    found = some_portfolio(seed)
    pool = pool_of(found)
    assert pool.annual.p90 < sum(one.annual.p90 for one in found)
    assert pool.annual.p10 > sum(one.annual.p10 for one in found)
    # of a year, that is: in a single month a rare event may lie beyond each P90 and inside that of the sum


@pytest.mark.parametrize("seed", SEEDS)
def test_every_breakdown_adds_up_to_the_same_cents(seed: int) -> None:
    found = some_portfolio(seed)
    pool = pool_of(found)
    approaches = {one.approach for one in found}
    by_approach = [pool_of([one for one in found if one.approach == approach]) for approach in approaches]
    total = round(pool.annual.mean * 100)
    assert sum(round(one.annual.mean * 100) for one in found) == total
    assert sum(round(part.annual.mean * 100) for part in by_approach) == total
    assert sum(int(row[:12].sum()) for row in pool.expected_cents) == total  # by component
    assert sum(int(v) for v in pool.expected_cents.sum(axis=0)[:12]) == total  # by month
    assert sum(one.planned_cents for one in found) == pool.planned_cents
    assert sum(part.tuned_cents for part in by_approach) == pool.tuned_cents
    parts = together(by_approach, draws=DRAWS, months=MONTHS)
    assert np.allclose(parts.monthly_usd, pool.monthly_usd, rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_the_use_cases_does_not_matter_and_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    found = some_portfolio(seed)
    one, other = pool_of(found), pool_of(some_portfolio(seed)[::-1])
    for name in ("monthly_usd", "planned_usd", "tuned_usd", "expected_cents"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    assert (
        one.monthly_usd.tobytes() != pool_of([worked(i, seed=SEED + 1) for i in some_items(seed)]).monthly_usd.tobytes()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_crossing_a_budget_is_counted_draw_by_draw(seed: int) -> None:
    pool = pool_of(some_portfolio(seed))
    spent, first, months = 1_000.0, 2, 12
    budget = spent + 0.95 * float(np.median(pool.monthly_usd[:, first : first + months].sum(axis=1)))
    crossed = []
    for draw in pool.monthly_usd:
        total, when = spent, None
        for month in range(first, first + months):
            total += draw[month]
            if total > budget and when is None:
                when = month
        crossed.append(when)
    found = crossing(pool.monthly_usd, budget, spent_usd=spent, first=first, months=months)
    when = sorted(month for month in crossed if month is not None)
    assert found.probability == len(when) / len(crossed)
    assert found.by_month[first + 5] == sum(1 for month in when if month <= first + 5) / len(crossed)
    assert found.likely_month == when[(len(when) - 1) // 2]
    assert found.earliest_month == min(m for m in range(MONTHS) if sum(x <= m for x in when) >= 0.1 * len(crossed))


def test_a_budget_nobody_crosses_has_no_month_and_one_outside_is_refused() -> None:
    pool = pool_of(some_portfolio(1, 2))
    found = crossing(pool.monthly_usd, 1e15, months=12)
    assert (found.probability, found.earliest_month, found.likely_month) == (0.0, None, None)
    assert set(found.by_month) == {0.0}
    with pytest.raises(ValueError, match="outside"):
        crossing(pool.monthly_usd, 1.0, first=MONTHS, months=12)


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_of_the_variance_add_up_to_one(seed: int) -> None:
    annual = np.array([one.pool.annual_usd for one in some_portfolio(seed)])
    shares = shares_of_variance(annual)
    assert shares.sum() == pytest.approx(1.0, abs=1e-9)
    covariance = np.cov(annual, bias=True)
    assert shares == pytest.approx(covariance.sum(axis=1) / covariance.sum())


@pytest.mark.parametrize("seed", SEEDS)
def test_knowing_use_cases_is_worked_out_by_replacing_their_draws(seed: int) -> None:
    annual = np.array([one.pool.annual_usd for one in some_portfolio(seed)])
    known = annual.copy()
    for row in (0, 3):
        known[row] = known[row].mean()
    found = narrowed(annual, (0, 3))
    before, after = band(annual.sum(axis=0)), band(known.sum(axis=0))
    assert (found.usd.p10, found.usd.p90) == (after.p10, after.p90)
    assert found.narrower == pytest.approx(1 - (after.p90 - after.p10) / (before.p90 - before.p10))
    assert narrowed(annual, range(5)).narrower == pytest.approx(1.0)
    assert found.usd.mean == pytest.approx(total_of(annual).mean(), abs=0.01)


def test_a_portfolio_that_does_not_vary_has_no_carriers() -> None:
    assert shares_of_variance(np.full((3, 16), 5.0)).tolist() == [0.0, 0.0, 0.0]
    assert narrowed(np.full((3, 16), 5.0), (0,)).narrower == 0.0


def test_prices_are_drawn_once_and_volumes_for_each_use_case_alone() -> None:
    one, other = (
        prepare(item.spec, CATALOGUE, seed=SEED, draws=1024, shuffle=item.key).sample for item in some_items(2, 2)
    )
    for key in ("gpu_price_log_rate_per_year", "engineer_salary_usd_per_year", "model_retirement_months"):
        assert np.array_equal(one[key], other[key])
    for key in ("requests_per_day", "growth_percent_per_month", "output_tokens"):
        assert abs(np.corrcoef(one[key][:, 0], other[key][:, 0])[0, 1]) < 0.1


def test_a_saving_compares_the_same_draws() -> None:
    of, against = np.array([60.0, 90.0, 50.0, 120.0]), np.array([100.0, 100.0, 100.0, 100.0])
    found = saving(of, against)
    assert found.usd.mean == 20.0
    assert (found.probability, found.claim_probability) == (0.75, 0.5)  # 40 % and 50 % lie in the claim, 10 % does not
    assert found.share.mean == pytest.approx(0.2)
