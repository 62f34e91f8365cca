"""The what-if page: figures from the address, in the page and in the fragment; keeping them; two people at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costing.engine.project import project
from costing.public import catalogue, result_of, spec_of
from costing.runner import run_projection, seed_of_lineage
from organisations.models import Organisation, User
from portfolio import projections
from portfolio.models import CostScenario, UseCase
from portfolio.specs import lineage_of
from portfolio.what_if import base_of, merged
from tests.portfolio.factories import HR_DESK, say, use_case_in
from tests.portfolio.figures import computed

MOST_QUERIES = 30


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, **HR_DESK, requests_per_day=2_000)
    return use_case


def url(use_case: UseCase, name: str = "costs-what-if", query: str = "") -> str:
    return reverse(name, args=[use_case.pk]) + query


def test_the_address_holds_what_was_moved(use_case: UseCase, viewer: User, sign_in: Callable[..., Client]) -> None:
    response = sign_in(viewer).get(url(use_case, query="?requests_per_day=12k&cached_input_share=50 %25"))
    assert response.status_code == 200
    assert response.context["address"].moves == {"requests_per_day": 12_000.0, "cached_input_share": 0.5}
    found = response.context["found"]
    assert {one.key for one in found.spec.inputs} >= {"requests_per_day", "cached_input_share"}
    body = response.content.decode()
    assert 'value="12k"' in body
    assert 'name="requests_per_day" value="12k"' in body  # kept for saving, too
    assert "Save as a scenario" not in body  # a viewer plays; others keep


def test_the_fragment_says_what_the_page_says(use_case: UseCase, owner: User, sign_in: Callable[..., Client]) -> None:
    client, address = sign_in(owner), url(use_case, query="?requests_per_day=12000")
    page = client.get(address)
    fragment = client.get(address + "&growth_percent_per_month=", headers={"HX-Request": "true"})
    assert fragment.context["says"] == page.context["says"]
    assert fragment["HX-Replace-Url"] == address
    assert "HX-Request" in fragment["Vary"]
    assert b"<html" not in fragment.content


def test_nothing_moved_is_the_costs_page(use_case: UseCase, owner: User, sign_in: Callable[..., Client]) -> None:
    """The base of a what-if and the stored projection agree; only the number of draws differs."""
    done = projections.refresh(use_case=use_case, by=owner)
    done = computed(done)
    use_case.refresh_from_db()
    base = base_of(use_case)
    assert base.shown == done
    for option in result_of(done).options:
        mine = base.preview.option(option.key)
        assert mine.feasible == option.feasible
        if option.feasible:
            assert mine.annual_usd.p50 == pytest.approx(option.annual_usd.p50, rel=0.1)  # 1,024 draws, not 256
    assert sign_in(owner).get(url(use_case)).context["found"].is_changed is False


def test_a_saved_what_if_is_computed_to_the_very_cents(
    use_case: UseCase, editor: User, sign_in: Callable[..., Client]
) -> None:
    state = {"requests_per_day": "12k", "api_model": "openai:gpt-6-sol"}
    response = sign_in(editor).post(url(use_case, "costs-what-if-save"), {**state, "name": "Six times as many"})
    assert response.status_code == 302
    saved = CostScenario.objects.get(use_case=use_case, name="Six times as many")
    assert saved.current is not None
    assert response["Location"].endswith(f"?revision={saved.current.revision}")
    assert saved.projection is not None
    assert run_projection(saved.projection.pk)
    saved.projection.refresh_from_db()
    found = base_of(use_case).with_moves({"requests_per_day": 12_000.0}, {"api_model": "openai:gpt-6-sol"})
    expected = project(found.spec, catalogue.load(), seed=seed_of_lineage(lineage_of(use_case)))
    assert spec_of(saved.current).choices.api_model == "openai:gpt-6-sol"
    assert [o.annual_usd for o in result_of(saved.projection).options] == [o.annual_usd for o in expected.options]
    use_case.refresh_from_db()
    assert use_case.figures_id is None  # the use case's own figures stay as they were


def test_letting_it_count_changes_the_base(use_case: UseCase, editor: User, sign_in: Callable[..., Client]) -> None:
    response = sign_in(editor).post(url(use_case, "costs-what-if-base"), {"requests_per_day": "12k", "version": "0"})
    assert response.status_code == 302
    base = CostScenario.objects.get(use_case=use_case, is_base=True)
    assert base.overrides["inputs"]["requests_per_day"]["value"] == 12_000
    again = sign_in(editor).post(url(use_case, "costs-what-if-base"), {"requests_per_day": "15k", "version": "0"})
    assert again.status_code == 409
    assert next(str(change) for change in again.context["meanwhile"]).startswith("Requests per day: 12,000")
    base.refresh_from_db()
    assert base.overrides["inputs"]["requests_per_day"]["value"] == 12_000


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"name": "Nothing"}, "Nothing is moved yet"),
        ({"requests_per_day": "12k", "name": " "}, "The name is empty"),
        ({"requests_per_day": "lots", "name": "Lots"}, "lots"),
        ({"gpu": "no-such-gpu", "name": "Odd"}, "no-such-gpu"),
        ({"requests_per_day": "12k", "name": "Base"}, "already"),
    ],
)
def test_what_cannot_be_kept_says_why_and_keeps_what_was_typed(
    posted: dict[str, Any], said: str, use_case: UseCase, owner: User, sign_in: Callable[..., Client]
) -> None:
    response = sign_in(owner).post(url(use_case, "costs-what-if-save"), posted)
    assert response.status_code == 422
    body = response.content.decode()
    assert said in body
    for key in posted.keys() - {"name", "gpu"}:
        assert f'value="{posted[key]}"' in body
    assert not CostScenario.objects.filter(use_case=use_case).exists()


def test_a_number_that_cannot_be_read_is_named(use_case: UseCase, owner: User, sign_in: Callable[..., Client]) -> None:
    response = sign_in(owner).get(
        url(use_case, query="?requests_per_day=12k&output_tokens=-5"), headers={"HX-Request": "true"}
    )
    assert response.status_code == 422
    assert set(response.context["address"].errors) == {"output_tokens"}
    assert response.context["found"].is_changed  # the rest still shows what it does
    assert b'data-wrong="output_tokens"' in response.content


def test_another_input_can_be_added(use_case: UseCase, owner: User, sign_in: Callable[..., Client]) -> None:
    response = sign_in(owner).get(url(use_case, query="?more=eval_cases&more=no_such_input"))
    assert response.context["address"].more == ("eval_cases",)
    assert "eval_cases" in {knob.key for knob in response.context["knobs"]}


def test_a_use_case_without_answers_can_be_played_with(
    organisation: Organisation, owner: User, sign_in: Callable[..., Client]
) -> None:
    use_case = use_case_in(organisation, owner)
    response = sign_in(owner).get(url(use_case, query="?option=self_hosted_rag"))
    assert response.status_code == 200
    assert {"target_utilisation", "gpu_usd_per_hour"} <= {knob.key for knob in response.context["knobs"]}


def test_the_queries_of_a_move(use_case: UseCase, owner: User, sign_in: Callable[..., Client]) -> None:
    client = sign_in(owner)
    for headers in ({}, {"HX-Request": "true"}):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(use_case, query="?requests_per_day=9k"), headers=headers).status_code == 200
        assert len(queries) <= MOST_QUERIES


def test_what_was_set_above_counts() -> None:
    below = {"inputs": {"a": 1, "b": 1}, "choices": {"gpu": "L4"}, "months": 24}
    above = {"inputs": {"b": 2}, "choices": {}}
    assert merged(below, above) == {"inputs": {"a": 1, "b": 2}, "choices": {"gpu": "L4"}, "months": 24}
    assert merged({}, {}) == {}
