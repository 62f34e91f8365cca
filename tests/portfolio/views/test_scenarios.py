"""The pages of cost scenarios: list, new, rename, remove, take over, differences, and the costs page of one."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costing.charts.format import money
from costing.models import JobState, Projection
from costing.public import first_year, spec_of
from organisations.models import Organisation, User
from portfolio import projections, scenarios
from portfolio.actions import register_use_case
from portfolio.models import CostScenario, UseCase
from portfolio.questionnaire.workload_defaults import TABLE
from portfolio.specs import lineage_of
from tests.portfolio.factories import say
from tests.portfolio.figures import computed

MOST_QUERIES = 30
BUSY = {"inputs": {"requests_per_day": {"value": 90_000.0, "low": 60_000.0, "high": 135_000.0, "shape": "lognormal"}}}


@pytest.fixture
def use_case(organisation: Organisation, editor: User) -> UseCase:
    found = register_use_case(organisation=organisation, by=editor, title="Return policies")
    say(found, editor, requests_per_day=9000)
    return found


@pytest.fixture
def busy(use_case: UseCase, editor: User) -> CostScenario:
    """A what-if beside the base, both with figures."""
    computed(projections.refresh(use_case=use_case, by=editor))
    made = scenarios.save_scenario(use_case=use_case, by=editor, name="Ten times", overrides=BUSY, note="IT asked")
    assert made.projection is not None
    computed(made.projection)
    return made


def text(client: Client, name: str, use_case: UseCase, query: str = "") -> str:
    response = client.get(reverse(name, args=[use_case.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_tells_the_difference_to_the_base_draw_by_draw(
    viewer_client: Client, use_case: UseCase, busy: CostScenario
) -> None:
    html = text(viewer_client, "cost-scenarios", use_case)
    use_case.refresh_from_db()
    done = [Projection.objects.get(pk=pk) for pk in (busy.projection_id, use_case.figures_id)]
    own, base = (
        first_year(spec_of(one.scenario), one.result["headline_option"], lineage=lineage_of(use_case), draws=one.draws)
        for one in done
    )
    more = own.over(base)
    assert more is not None
    assert f"+{money(more.p50)}" in html
    assert "Requests per day: 9,000 requests/day (6,000 – 13,500) → 90,000 requests/day (60,000 – 135,000)" in html
    assert "Take over" not in html  # a viewer only looks


def test_the_costs_page_shows_a_what_if_s_own_figures(
    viewer_client: Client, editor_client: Client, use_case: UseCase, busy: CostScenario
) -> None:
    html = text(viewer_client, "costs", use_case, f"?scenario={busy.pk}")
    assert "These are the figures of the scenario “Ten times”" in html
    assert "revision=2" in html  # its figures open their own formulas
    assert reverse("assumptions", args=[use_case.pk]) not in html  # a viewer only looks
    assert f"?scenario={busy.pk}" in text(editor_client, "costs", use_case, f"?scenario={busy.pk}")
    figure = reverse("cost-figure", args=[use_case.pk, "annual"])
    assert viewer_client.get(f"{figure}?revision=2").status_code == 200


def test_a_what_if_that_is_still_computed_says_so(editor_client: Client, use_case: UseCase, editor: User) -> None:
    computed(projections.refresh(use_case=use_case, by=editor))
    made = scenarios.save_scenario(use_case=use_case, by=editor, name="Ten times", overrides=BUSY)
    html = text(editor_client, "costs", use_case, f"?scenario={made.pk}")
    assert "has no figures yet" in html
    assert reverse("scenario-cancel", args=[use_case.pk, made.pk]) in html
    progress = editor_client.get(reverse("costs-progress", args=[use_case.pk]), {"scenario": made.pk})
    assert progress.status_code == 200  # it goes on polling
    assert editor_client.get(reverse("costs-progress", args=[use_case.pk])).status_code == 286


def test_a_what_if_starts_from_a_workload_shape(editor_client: Client, use_case: UseCase) -> None:
    page = text(editor_client, "scenario-new", use_case)
    assert "tool and agent traces" in page
    sent = {"name": "As an agent", "start": "shape-agent_loop", "note": ""}
    assert editor_client.post(reverse("scenario-new", args=[use_case.pk]), sent).status_code == 302
    inputs = CostScenario.objects.get().overrides["inputs"]
    assert {key: row["value"] for key, row in inputs.items()} == {
        key: row.value for key, row in TABLE["agent_loop"].items()
    }
    assert inputs["calls_per_request"]["provenance"]["origin"] == "assumption"


def test_a_name_that_is_taken_keeps_what_was_entered(
    editor_client: Client, use_case: UseCase, busy: CostScenario
) -> None:
    sent = {"name": "TEN TIMES", "start": "base", "note": "another try"}
    response = editor_client.post(reverse("scenario-new", args=[use_case.pk]), sent)
    html = response.content.decode()
    assert response.status_code == 422
    assert "There is a scenario “TEN TIMES” already" in html
    assert 'value="another try"' in html


def test_a_what_if_is_renamed_removed_and_restored(
    editor_client: Client, use_case: UseCase, busy: CostScenario
) -> None:
    args = [use_case.pk, busy.pk]
    editor_client.post(reverse("scenario-rename", args=args), {"name": "Peak season"})
    editor_client.post(reverse("scenario-remove", args=args))
    html = text(editor_client, "cost-scenarios", use_case)
    assert reverse("scenario-restore", args=args) in html
    editor_client.post(reverse("scenario-restore", args=args))
    busy.refresh_from_db()
    assert (busy.name, busy.removed_at) == ("Peak season", None)


def test_taking_over_on_top_of_somebody_s_edit_is_asked_again(
    editor_client: Client, use_case: UseCase, busy: CostScenario, owner: User
) -> None:
    scenarios.save_base(use_case=use_case, by=owner, overrides={"months": 12}, version=0)
    url = reverse("scenario-adopt", args=[use_case.pk, busy.pk])
    response = editor_client.post(url, {"version": "0"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "9,000 requests/day (6,000 – 13,500)" in html
    assert editor_client.post(url, {"version": "1"}).status_code == 302
    assert CostScenario.objects.get(is_base=True).overrides == BUSY


def test_two_revisions_are_told_apart(viewer_client: Client, use_case: UseCase, busy: CostScenario) -> None:
    html = text(viewer_client, "cost-diff", use_case, "?from=1&to=2")
    assert "1 thing differs" in html
    assert "Ten times: IT asked" in html
    use_case.refresh_from_db()
    done = Projection.objects.get(pk=busy.projection_id)
    assert done.annual_p50_usd is not None
    assert money(float(done.annual_p50_usd)) in html
    assert money(float(use_case.annual_p50_usd or 0)) in html


@pytest.mark.parametrize("query", ["?from=1&to=99", "?from=x&to=1", "?from=0&to=1"])
def test_a_revision_that_is_not_there_is_not_found(
    viewer_client: Client, use_case: UseCase, busy: CostScenario, query: str
) -> None:
    assert viewer_client.get(reverse("cost-diff", args=[use_case.pk]) + query).status_code == 404


def test_an_earlier_revision_counts_again_whatever_was_answered_since(
    editor_client: Client, use_case: UseCase, busy: CostScenario, editor: User
) -> None:
    first = projections.refresh(use_case=use_case, by=editor)
    say(use_case, editor, requests_per_day=400, output_tokens=77)
    now = projections.refresh(use_case=use_case, by=editor)
    assert now.scenario != first.scenario
    editor_client.post(reverse("revision-restore", args=[use_case.pk, first.scenario.revision]), {"version": "0"})
    use_case.refresh_from_db()
    assert use_case.projection is not None
    restored = {row["key"]: row["value"] for row in use_case.projection.scenario.spec["inputs"]}
    assert (restored["requests_per_day"], restored["output_tokens"]) == (9000, 300)  # 300: assumed while not answered
    before = Projection.objects.get(scenario=first.scenario, state=JobState.DONE)
    assert computed(use_case.projection).annual_p50_usd == before.annual_p50_usd


def test_the_queries_of_the_pages_do_not_grow_with_the_what_ifs(
    viewer_client: Client, use_case: UseCase, busy: CostScenario, editor: User
) -> None:
    def queries() -> list[int]:
        found = []
        for name in ("costs", "cost-scenarios"):
            with CaptureQueriesContext(connection) as seen:
                text(viewer_client, name, use_case)
            found.append(len(seen))
        return found

    before = queries()
    for number in (12, 18, 30):
        made = scenarios.save_scenario(
            use_case=use_case, by=editor, name=f"{number} months", overrides={"months": number}
        )
        assert made.projection is not None
        computed(made.projection)
    assert queries() == before
    assert max(before) <= MOST_QUERIES


def test_a_revision_computed_anew_keeps_what_was_set_by_hand(
    viewer_client: Client, use_case: UseCase, editor: User
) -> None:
    """Nobody saves the base when answers change: its edits are still in the next revision, and the page says so."""
    projections.refresh(use_case=use_case, by=editor)
    scenarios.save_base(use_case=use_case, by=editor, overrides={"months": 12}, version=0)
    say(use_case, editor, requests_per_day=12_000)
    projection = projections.refresh(use_case=use_case, by=editor)
    first, last = projection.scenario.revision - 1, projection.scenario.revision
    html = text(viewer_client, "cost-diff", use_case, f"?from={first}&to={last}")
    assert "the answers of then, and what was set by hand" in html
    assert "12,000 requests/day" in html
    assert '<th scope="row">Months</th>' not in html  # in both
    plain = text(viewer_client, "cost-diff", use_case, f"?from=1&to={last}")
    assert "the answers of then</td>" in plain
