"""Editing the assumptions of a cost scenario: what is read, refused, kept and said to two who edit at once."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costing.models import Scenario
from organisations.models import Organisation, User
from portfolio import scenarios
from portfolio.actions import register_use_case
from portfolio.models import CostRevision, CostScenario, UseCase
from tests.portfolio.factories import say

MOST_QUERIES = 30


@pytest.fixture
def use_case(organisation: Organisation, editor: User) -> UseCase:
    found = register_use_case(organisation=organisation, by=editor, title="Return policies")
    say(found, editor, requests_per_day=9000)
    return found


def opened(client: Client, url: str) -> dict[str, Any]:
    """The fields of the form as a browser would send them back."""
    html = client.get(url).content.decode()
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", html):
        said = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in said and said.get("type") not in ("checkbox", "radio", "search"):
            fields[said["name"]] = said.get("value", "").replace("&quot;", '"')
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields


def of_group(use_case: UseCase, group: str = "volume", more: str = "") -> str:
    return f"{reverse('assumptions', args=[use_case.pk])}?group={group}{more}"


def of_one(use_case: UseCase, key: str) -> str:
    return reverse("assumption", args=[use_case.pk, key])


def base() -> dict[str, Any]:
    overrides: dict[str, Any] = CostScenario.objects.get(is_base=True).overrides
    return overrides


def test_a_value_is_set_with_band_standing_source_and_day(editor_client: Client, use_case: UseCase) -> None:
    url = of_one(use_case, "requests_per_day")
    sent = opened(editor_client, url) | {
        "requests_per_day-value": "12k",
        "requests_per_day-low": "8 000",
        "requests_per_day-high": "0.018M",
        "requests_per_day-standing": "measured",
        "requests_per_day-source": "https://example.org/report",
        "requests_per_day-as_of": "2026-10-31",
        "note": "Pilot",
    }
    response = editor_client.post(url, sent)
    assert (response.status_code, response["Location"]) == (302, reverse("costs", args=[use_case.pk]))
    row = base()["inputs"]["requests_per_day"]
    assert [row[name] for name in ("value", "low", "high", "shape")] == [12_000, 8_000, 18_000, "lognormal"]
    about = row["provenance"]
    assert (about["origin"], about["source"], about["as_of"]) == (
        "measured",
        "https://example.org/report",
        "2026-10-31",
    )
    assert about["detail"].startswith("entered by ")
    assert CostRevision.objects.get().note == "Pilot"


def test_the_band_moves_with_a_value_that_is_changed_alone(editor_client: Client, use_case: UseCase) -> None:
    url = of_one(use_case, "requests_per_day")
    editor_client.post(url, opened(editor_client, url) | {"requests_per_day-value": "18000"})
    row = base()["inputs"]["requests_per_day"]
    assert (row["low"], row["value"], row["high"]) == (12_000, 18_000, 27_000)  # 9,000 stood in 6,000 to 13,500


def test_without_ends_the_value_is_exact(editor_client: Client, use_case: UseCase) -> None:
    url = of_one(use_case, "cached_input_share")
    sent = opened(editor_client, url)
    names = ("cached_input_share-value", "cached_input_share-low", "cached_input_share-high")
    editor_client.post(url, sent | dict(zip(names, ("30 %", "", ""), strict=True)))
    row = base()["inputs"]["cached_input_share"]
    assert (row["value"], row["low"], row["high"], row["shape"]) == (0.3, 0.3, 0.3, "fixed")


def test_opening_and_sending_back_changes_nothing(editor_client: Client, use_case: UseCase) -> None:
    for group in ("volume", "tokens", "prices", "retrieval", "training", "serving", "data", "people", "time", "money"):
        url = of_group(use_case, group)
        assert editor_client.post(url, opened(editor_client, url)).status_code == 302, group
    url = of_group(use_case, "choices")
    assert editor_client.post(url, opened(editor_client, url)).status_code == 302
    assert CostScenario.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"value": "many"}, "is not a number"),
        ({"value": ""}, "The value is empty"),
        ({"value": "-5"}, "write at least 0 requests/day"),
        ({"low": ""}, "Give both ends of the band"),
        ({"low": "20000", "high": "6000"}, "Swap them"),
        ({"value": "14000", "low": "7000"}, "The value lies outside the band"),
        ({"value": "9000", "low": "10", "high": "10000"}, "half of all futures lie below 316.228"),
        ({"as_of": "yesterday"}, "This is no day"),
        ({"standing": "guessed"}, "Choose known, assumed or measured"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_entered_is_lost(
    editor_client: Client, use_case: UseCase, typed: dict[str, str], said: str
) -> None:
    url = of_group(use_case)
    sent = opened(editor_client, url)
    sent |= {f"requests_per_day-{name}": value for name, value in typed.items()}
    sent |= {"peak_to_average-value": "4,5", "note": "Why I did this"}
    response = editor_client.post(url, sent)
    html = response.content.decode()
    assert response.status_code == 422
    assert said in html.replace("&#x27;", "'")
    assert 'value="4,5"' in html
    assert 'value="Why I did this"' in html
    assert all(f'value="{value}"' in html for name, value in typed.items() if value and name != "standing")
    assert CostScenario.objects.count() == 0


def test_an_edit_is_taken_back_to_the_answer(editor_client: Client, use_case: UseCase) -> None:
    url = of_one(use_case, "requests_per_day")
    editor_client.post(url, opened(editor_client, url) | {"requests_per_day-value": "18000"})
    html = editor_client.get(url).content.decode()
    assert "Back to 9,000 requests/day (6,000 – 13,500)" in html
    editor_client.post(url, opened(editor_client, url) | {"requests_per_day-back": "on"})
    assert base() == {}
    assert [row.revision for row in Scenario.objects.order_by("revision")] == [1, 2]


def test_two_who_edit_other_inputs_keep_both_edits(
    editor_client: Client, owner_client: Client, use_case: UseCase
) -> None:
    url = of_group(use_case)
    mine = opened(editor_client, url) | {"peak_to_average-value": "4"}
    owner_client.post(url, opened(owner_client, url) | {"requests_per_day-value": "18000"})
    first = editor_client.post(url, mine)
    assert first.status_code == 409
    again = {**mine, "version": "1"}
    shown = first.content.decode()
    assert 'name="requests_per_day-value" value="18000"' in shown
    again |= {"requests_per_day-value": "18000", "requests_per_day-low": "12000", "requests_per_day-high": "27000"}
    seen = re.search(r'name="requests_per_day-seen" value="([^"]*)"', shown)
    assert seen is not None
    again["requests_per_day-seen"] = seen[1].replace("&quot;", '"')
    assert editor_client.post(url, again).status_code == 302
    assert {key: row["value"] for key, row in base()["inputs"].items()} == {
        "requests_per_day": 18_000,
        "peak_to_average": 4,
    }


def test_two_who_edit_the_same_input_see_both_values(
    editor_client: Client, owner_client: Client, use_case: UseCase
) -> None:
    url = of_one(use_case, "requests_per_day")
    mine = opened(editor_client, url) | {"requests_per_day-value": "27000"}
    owner_client.post(url, opened(owner_client, url) | {"requests_per_day-value": "18000"})
    response = editor_client.post(url, mine)
    html = response.content.decode()
    assert response.status_code == 409
    assert "27,000 requests/day (18,000 – 40,500)" in html
    assert "18,000 requests/day (12,000 – 27,000)" in html
    assert 'name="requests_per_day-value" value="27000"' in html
    assert base()["inputs"]["requests_per_day"]["value"] == 18_000


def test_models_hardware_horizon_and_the_option_are_chosen(editor_client: Client, use_case: UseCase) -> None:
    url = of_group(use_case, "choices")
    chosen = {"gpu": "H100-SXM", "reranker": "-", "months": "36", "option": "self_hosted_lora", "drift": "linear"}
    response = editor_client.post(url, opened(editor_client, url) | chosen | {"tuning": "openai:gpt-4.1-2025-04-14"})
    html = response.content.decode()
    if response.status_code == 422:  # the catalogue names its models anew from time to time
        assert "is not in the catalogue" in html
        editor_client.post(url, opened(editor_client, url) | chosen)
    saved = base()
    assert (saved["months"], saved["option"]) == (36, "self_hosted_lora")
    assert {name: saved["choices"][name] for name in ("gpu", "reranker", "drift")} == {
        "gpu": "H100-SXM",
        "reranker": "",
        "drift": "linear",
    }
    assert "H100-SXM" in editor_client.get(url).content.decode()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"gpu": "H-900"}, "is not in the catalogue"),
        ({"months": "37"}, "at most 36 months"),
        ({"months": "soon"}, "whole number of months"),
        ({"gpu_pricing": "spot", "gpu": "L40S"}, "set the rent by hand"),
    ],
)
def test_what_cannot_be_chosen_is_named(
    editor_client: Client, use_case: UseCase, chosen: dict[str, str], said: str
) -> None:
    url = of_group(use_case, "choices")
    response = editor_client.post(url, opened(editor_client, url) | chosen | {"note": "kept"})
    assert response.status_code == 422
    assert said in response.content.decode()
    assert 'value="kept"' in response.content.decode()


def test_a_what_if_is_edited_without_touching_the_base(editor_client: Client, use_case: UseCase, editor: User) -> None:
    made = scenarios.save_scenario(use_case=use_case, by=editor, name="Busy", overrides={})
    url = of_group(use_case, more=f"&scenario={made.pk}")
    response = editor_client.post(url, opened(editor_client, url) | {"requests_per_day-value": "90k"})
    assert response["Location"] == f"{reverse('costs', args=[use_case.pk])}?scenario={made.pk}"
    made.refresh_from_db()
    assert made.overrides["inputs"]["requests_per_day"]["value"] == 90_000
    assert not CostScenario.objects.filter(is_base=True).exists()


@pytest.mark.parametrize("query", ["?group=made_up", "?group=volume&scenario=999999", "?scenario=x"])
def test_what_is_not_there_is_not_found(editor_client: Client, use_case: UseCase, query: str) -> None:
    assert editor_client.get(reverse("assumptions", args=[use_case.pk]) + query).status_code == 404


def test_an_unknown_input_is_not_found(editor_client: Client, use_case: UseCase) -> None:
    assert editor_client.get(of_one(use_case, "made_up")).status_code == 404


def test_fields_that_a_stranger_made_up_are_refused_in_words(editor_client: Client, use_case: UseCase) -> None:
    url = of_one(use_case, "requests_per_day")
    sent = opened(editor_client, url) | {"requests_per_day-value": "10"}
    for seen in ("", "[]", json.dumps(["many", "1", "2", "", "", ""]), "{"):
        assert editor_client.post(url, sent | {"requests_per_day-seen": seen}).status_code in (302, 409, 422)


def test_the_queries_of_a_group_do_not_grow_with_its_inputs(editor_client: Client, use_case: UseCase) -> None:
    counts = []
    for group in ("money", "people"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            editor_client.get(of_group(use_case, group))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= MOST_QUERIES
