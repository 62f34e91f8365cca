"""Bills and usage exports read into lines; every expected figure is worked out by hand from the sample."""

import json
from datetime import date
from decimal import Decimal

import pytest

from portfolio.actuals.columns import UnknownFormatError, recognise
from portfolio.actuals.lines import Reading, fingerprints
from portfolio.actuals.reading import BILLED, OVERCOUNTED, format_of, read_lines
from tests.portfolio.actuals.samples import sample, table

D = Decimal


def read(name: str, **more: object) -> Reading:
    sheet = sample(name)
    return read_lines(sheet, format_of(sheet), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "format_key"),
    [
        ("focus.csv", "focus"),
        ("focus_1_0.csv", "focus"),
        ("litellm_logs.csv", "litellm"),
        ("litellm_usage.csv", "litellm"),
        ("langfuse.csv", "langfuse"),
        ("plain.csv", "plain"),
    ],
)
def test_a_format_is_recognised_by_its_columns(name: str, format_key: str) -> None:
    assert recognise(sample(name).header) == format_key


def test_a_bill_counts_effective_cost_subtracts_credits_and_keeps_taxes_apart() -> None:
    lines = read("focus.csv").lines
    # EffectiveCost, but for the second row, which has only BilledCost
    assert [line.cost for line in lines] == [D(100), D(80), D("12.5"), D(300), D(50), D(-20), D(38)]
    assert sum(line.cost for line in lines) == D("560.5")
    assert {line.currency for line in lines} == {"EUR"}
    assert [line.component for line in lines] == ["serving", "serving", "serving", "", "training", "", ""]
    assert [line.service for line in lines][-2:] == ["Credit", "Tax"]
    assert lines[0].provider == "Example AI"
    assert (lines[-1].starts_on, lines[-1].ends_on) == (date(2026, 10, 1), date(2026, 10, 31))


def test_a_bill_s_tokens_are_counted_by_meter_and_unit() -> None:
    lines = read("focus.csv").lines
    assert [(line.input_tokens, line.cached_tokens, line.output_tokens) for line in lines[:4]] == [
        (40_000_000, None, None),
        (None, None, 5_000_000),
        (10_000_000, 10_000_000, None),
        (None, None, None),
    ]
    assert {line.model for line in lines[:3]} == {"gpt-6-sol"}


def test_rows_that_fail_are_named_and_the_others_kept() -> None:
    found = read("focus.csv").failures
    assert [(one.line, one.column) for one in found] == [(9, "EffectiveCost"), (10, "Tags")]
    assert "write it as 1234.50" in found[0].reason
    assert "no JSON object" in found[1].reason


def test_an_hour_before_midnight_belongs_to_its_own_month() -> None:
    found = read("focus_1_0.csv")
    assert (found.lines[0].month, found.lines[0].ends_on) == (date(2026, 9, 1), date(2026, 9, 30))
    assert found.notes == (BILLED,)
    assert found.lines[0].component == "retrieval"


def test_calls_are_summed_by_day_model_and_tag_with_their_quantities() -> None:
    lines = read("litellm_logs.csv").lines
    assert [(x.starts_on.day, x.requests, x.cost, x.input_tokens, x.cached_tokens, x.output_tokens) for x in lines] == [
        (1, 2, D("0.0375"), 3000, 1000, 600),
        (2, 1, D("0.0100"), 900, None, 200),
        (2, 1, D("0.0004"), 4000, None, 0),
    ]
    assert ("request_tags", "helpdesk") in lines[0].tags
    assert ("team", "Support") in lines[0].tags
    assert ("usecase", "contracts") in lines[2].tags
    assert [x.component for x in lines] == ["serving", "serving", "retrieval"]
    assert not {value for line in lines for _, value in line.tags} & {
        "u1",
        "u2",
        "p1",
        "p2",
        "r1",
    }  # no persons, no ids


def test_the_dashboard_s_export_groups_thousands() -> None:
    lines = read("litellm_usage.csv").lines
    assert [(x.cost, x.requests, x.input_tokens) for x in lines] == [
        (D("1234.5"), 2000, 2_400_000),
        (D("0.75"), 10, 800),
    ]
    assert lines[0].tags == (("tag", "helpdesk"),)


def test_an_export_that_is_known_to_overcount_says_so() -> None:
    sheet = table({"Date": "2026-10-01", "Team": "a", "Model": "m", "Spend ($)": "1", "Requests": "1"})
    assert read_lines(sheet, format_of(sheet)).notes == (OVERCOUNTED,)


def test_observations_count_cached_and_reasoning_tokens_on_their_side() -> None:
    found = read("langfuse.csv")
    # 700 + 300 cached of the first and 500 of the third, which ends a day of UTC earlier than its zone says
    first, embedding = found.lines
    assert (first.requests, first.cost, first.input_tokens, first.cached_tokens, first.output_tokens) == (
        2,
        D("0.045"),
        1500,
        300,
        300,
    )
    assert (embedding.component, embedding.input_tokens) == ("retrieval", 800)
    assert found.notes == ("1 rows without cost and tokens, steps around the calls, were left out.",)


def test_a_plain_table_takes_months_commas_and_equal_lines() -> None:
    found = read("plain.csv")
    assert [(x.cost, x.currency, x.component) for x in found.lines] == [
        (D(1000), "EUR", "operations"),
        (D(1000), "EUR", "operations"),
        (D("250.5"), "USD", ""),
        (D(5), "XPF", ""),
    ]
    assert found.lines[0].ends_on == date(2026, 9, 30)
    assert [(one.line, one.column) for one in found.failures] == [(5, "cost")]
    assert "can be read two ways" in found.failures[0].reason


def test_equal_lines_of_one_file_differ_and_a_file_read_again_is_the_same() -> None:
    first = [sha for _, sha in fingerprints(read("plain.csv").lines)]
    assert len(set(first)) == 4
    again = [sha for _, sha in fingerprints(reversed(read("plain.csv").lines))]
    assert sorted(first) == sorted(again)


def test_an_id_of_every_call_is_no_tag_but_what_names_a_use_case_is_kept() -> None:
    rows = [
        {
            "startTime": "2026-10-01",
            "spend": "0.01",
            "prompt_tokens": "1",
            "request_tags": json.dumps([f"job:{n}", "job:helpdesk"] if n % 2 else [f"job:{n}"]),
        }
        for n in range(1000)
    ]
    found = read_lines(table(*rows), "litellm", known=frozenset({"helpdesk"}))
    assert [(line.requests, line.tags) for line in found.lines] == [(500, ()), (500, (("job", "helpdesk"),))]
    assert sum(line.cost for line in found.lines) == D(10)
    assert "1,001 values" in found.notes[0]


def test_a_header_of_no_format_is_refused_with_what_is_missing() -> None:
    with pytest.raises(UnknownFormatError, match="belong to no format we know"):
        recognise(("name", "colour"))
    with pytest.raises(UnknownFormatError, match="a column EffectiveCost or BilledCost"):
        format_of(table({"month": "2026-10", "cost": "1"}), "focus")


@pytest.mark.parametrize(
    ("cell", "column", "said"),
    [
        ({"month": "October"}, "month", "write it as 2026-10-31"),
        ({"month": "1826-10"}, "month", "check the year"),
        ({"cost": ""}, "cost", "a row without it cannot be counted"),
        ({"cost": "1e40"}, "cost", "no amount that can be spent"),
        ({"cost": "NaN"}, "cost", "a row without it cannot be counted"),
        ({"currency": "euro"}, "currency", "three-letter code"),
        ({"component": "cake"}, "component", "no component"),
        ({"requests": "12 %"}, "requests", "no count"),
        ({"input tokens": "-3"}, "input tokens", "from 0 on"),
    ],
)
def test_a_cell_that_cannot_be_read_says_what_to_write(cell: dict[str, str], column: str, said: str) -> None:
    good = {"month": "2026-10", "cost": "1", "currency": "USD", "component": "", "requests": "", "input tokens": ""}
    found = read_lines(table({**good, **cell}), "plain")
    assert found.lines == ()
    assert [one.column for one in found.failures] == [column]
    assert said in found.failures[0].reason
