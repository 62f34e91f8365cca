from costing.engine import units


def test_a_month_is_a_twelfth_of_a_julian_year():
    assert units.HOURS_PER_MONTH == 730.5  # 365.25 × 24 / 12
    assert units.SECONDS_PER_MONTH == 730.5 * 3600
    assert units.DAYS_PER_MONTH * 12 == 365.25


def test_binary_and_decimal_bytes_differ_by_the_known_share():
    assert units.gib(2.0**30) == 1
    assert units.gb(1e9) == 1
    assert round(units.gib(80e9), 2) == 74.51


def test_prices_per_million_become_prices_per_token():
    assert units.per_token(2.0) * 1_000_000 == 2.0
