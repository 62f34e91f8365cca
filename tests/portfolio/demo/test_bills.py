"""The files of the demo's spend: amounts by hand, nothing of days to come, the same files on the same day."""

from datetime import date
from decimal import Decimal

from portfolio.demo.bills import WEEK, Charge, Gateway, bill_rows, gateway_rows

NOVEMBER = date(2026, 11, 1)
DAILY = Charge(Decimal("300.00"), "EUR", "Maker", "Search", "An index", "retrieval", "care")
UPFRONT = Charge(Decimal("49.00"), "USD", "Maker", "Support", "A plan", is_upfront=True)
CHAT = Gateway("care", "some-model", "maker", 1_000, 2_000, 300, 0.25, 1.0, 0.1, 4.0)


def test_what_is_charged_by_the_day_is_charged_for_the_days_that_are_over() -> None:
    rows = bill_rows([DAILY, UPFRONT], NOVEMBER, date(2026, 11, 22))
    assert [row[1] for row in rows] == [Decimal("210.00"), Decimal("49.00")]  # 21 of 30 days; all of it
    assert [row[4:6] for row in rows] == [
        ("2026-11-01T00:00:00Z", "2026-11-22T00:00:00Z"),
        ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ]
    assert [row[-1] for row in rows] == ['{"usecase": "care"}', "{}"]


def test_a_month_that_is_over_is_charged_in_full_and_the_first_day_only_upfront() -> None:
    assert [row[1] for row in bill_rows([DAILY, UPFRONT], NOVEMBER, date(2027, 1, 9))] == [DAILY.amount, UPFRONT.amount]
    assert [row[1] for row in bill_rows([DAILY, UPFRONT], NOVEMBER, NOVEMBER)] == [UPFRONT.amount]
    assert gateway_rows([CHAT], NOVEMBER, NOVEMBER) == []


def test_each_day_of_the_gateway_costs_what_its_tokens_cost() -> None:
    rows = gateway_rows([CHAT], NOVEMBER, date(2026, 11, 22))
    assert [row[0] for row in rows] == [f"2026-11-{day:02}" for day in range(1, 22)]
    for row in rows:
        _, _, _, _, calls, prompt, answer, cached, spend = map(str, row)
        fresh = int(prompt) - int(cached)
        micro_usd = fresh * 1 + int(cached) * Decimal("0.1") + int(answer) * 4  # dollars per million tokens
        assert abs(Decimal(spend) - micro_usd / 1_000_000) <= Decimal("0.000001")
        assert 0.6 * 1_000 < int(calls) < 1.3 * 1_000


def test_the_mean_week_is_the_average_day_and_the_same_day_gives_the_same_file() -> None:
    assert abs(sum(WEEK) / 7 - 1) < 1e-9
    assert gateway_rows([CHAT], NOVEMBER, date(2026, 12, 1)) == gateway_rows([CHAT], NOVEMBER, date(2026, 12, 1))
    first, second = gateway_rows([CHAT], NOVEMBER, date(2026, 11, 3))
    assert first[4] != second[4]
