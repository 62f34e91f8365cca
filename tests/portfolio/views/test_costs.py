"""The costs page in every state of its job, for every role, with a number of queries that does not grow."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from costing import jobs, runner
from costing.engine.rates import DEFAULT_CHOICES
from costing.models import JobState, Projection
from costing.public import COST_ALONE, result_of
from organisations.models import Organisation, User
from portfolio import projections, scenarios
from portfolio.actions import register_use_case, save_answer
from portfolio.models import UseCase
from portfolio.questionnaire.loading import load
from portfolio.views import cost_figures
from tests.costing.price_rows import book_with, rate_of
from tests.costing.results import a_result
from tests.portfolio import factories
from tests.portfolio.figures import computed

MOST_QUERIES = 30


@pytest.fixture
def use_case(organisation: Organisation, editor: User) -> UseCase:
    return register_use_case(organisation=organisation, by=editor, title="Return policies")


@pytest.fixture
def waiting(use_case: UseCase, editor: User) -> Projection:
    return projections.refresh(use_case=use_case, by=editor)


@pytest.fixture
def done(waiting: Projection) -> Projection:
    return computed(waiting)


def say(use_case: UseCase, by: User, question_id: str, value: Any) -> None:
    assessment = use_case.assessments.latest()
    question = load(assessment.questionnaire_version).question(question_id)
    save_answer(assessment=assessment, question=question, by=by, value=value)


def page(client: Client, use_case: UseCase, query: str = "") -> str:
    response = client.get(reverse("costs", args=[use_case.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_without_a_projection_the_page_offers_to_compute_one(
    editor_client: Client, viewer_client: Client, use_case: UseCase
) -> None:
    assert "Compute the costs" in page(editor_client, use_case)
    shown_to_viewer = page(viewer_client, use_case)
    assert "No costs yet" in shown_to_viewer
    assert "Compute the costs" not in shown_to_viewer


def test_asking_starts_a_job_and_returns_to_the_page(editor_client: Client, use_case: UseCase) -> None:
    response = editor_client.post(reverse("costs-refresh", args=[use_case.pk]))
    assert (response.status_code, response["Location"]) == (302, reverse("costs", args=[use_case.pk]))
    use_case.refresh_from_db()
    assert use_case.projection is not None
    assert use_case.projection.state == JobState.QUEUED


def test_a_waiting_job_is_polled_and_says_when_the_queue_is_out_of_reach(
    editor_client: Client, use_case: UseCase, waiting: Projection
) -> None:
    html = page(editor_client, use_case)
    assert f'hx-get="{reverse("costs-progress", args=[use_case.pk])}" hx-trigger="every 1s"' in html
    assert jobs.QUEUE_UNREACHABLE_MESSAGE in html
    Projection.objects.filter(pk=waiting.pk).update(enqueued_at=timezone.now())
    assert jobs.QUEUE_UNREACHABLE_MESSAGE not in page(editor_client, use_case)


def test_a_running_job_shows_step_share_and_time_left(
    editor_client: Client, use_case: UseCase, waiting: Projection
) -> None:
    job = jobs.claim(Projection, waiting.pk, worker="w")
    assert job is not None
    jobs.report(job, "Fitting GPUs", 25)
    Projection.objects.filter(pk=job.pk).update(started_at=timezone.now() - timedelta(seconds=10))
    response = editor_client.get(reverse("costs-progress", args=[use_case.pk]))
    html = response.content.decode()
    assert response.status_code == 200
    assert "Fitting GPUs" in html
    assert "25 %" in html
    assert "about 30 s left" in html  # 10 s for a quarter
    assert "Cancel" in html
    assert "<html" not in html


def test_polling_ends_with_the_job_and_the_page_is_loaded_anew(
    editor_client: Client, use_case: UseCase, done: Projection
) -> None:
    response = editor_client.get(reverse("costs-progress", args=[use_case.pk]))
    assert (response.status_code, response["HX-Refresh"]) == (286, "true")
    assert "hx-trigger" not in response.content.decode()
    html = page(editor_client, use_case)
    assert "The projection is done" in html
    assert "every 1s" not in html


def test_a_failed_job_gives_its_reason_and_another_try(
    editor_client: Client, viewer_client: Client, use_case: UseCase, waiting: Projection
) -> None:
    job = jobs.claim(Projection, waiting.pk, worker="w")
    assert job is not None
    jobs.fail(job, "months is 99; give a whole number from 1 to 36")
    html = page(editor_client, use_case)
    assert "months is 99" in html
    assert reverse("costs-retry", args=[use_case.pk]) in html
    assert reverse("costs-retry", args=[use_case.pk]) not in page(viewer_client, use_case)
    assert editor_client.get(reverse("costs-progress", args=[use_case.pk])).status_code == 286
    editor_client.post(reverse("costs-retry", args=[use_case.pk]))
    waiting.refresh_from_db()
    assert waiting.state == JobState.QUEUED


def test_trying_again_after_a_change_takes_the_new_answers(
    editor_client: Client, editor: User, use_case: UseCase, waiting: Projection
) -> None:
    jobs.cancel(waiting)
    say(use_case, editor, "requests_per_day", 9000)
    editor_client.post(reverse("costs-retry", args=[use_case.pk]))
    use_case.refresh_from_db()
    assert use_case.projection is not None
    assert use_case.projection.scenario.revision == 2


def test_a_job_can_be_cancelled_and_started_again(
    editor_client: Client, use_case: UseCase, waiting: Projection
) -> None:
    editor_client.post(reverse("costs-cancel", args=[use_case.pk]))
    assert "was cancelled" in page(editor_client, use_case)
    late = editor_client.post(reverse("costs-cancel", args=[use_case.pk]), follow=True)
    assert "had ended before" in late.content.decode()
    editor_client.post(reverse("costs-retry", args=[use_case.pk]))
    again = editor_client.post(reverse("costs-retry", args=[use_case.pk]), follow=True)
    assert "under way already" in again.content.decode()


def test_the_figures_open_with_their_sentence_and_hold_every_part(
    viewer_client: Client, use_case: UseCase, done: Projection
) -> None:
    html = page(viewer_client, use_case)
    result = runner.result_of(done)
    assert result.reading in html.replace("&#x27;", "'")
    for part in ("options", "month-by-month", "gpus", "assumptions", "history"):
        assert f'id="{part}"' in html
    for chart in ("monthly", "cumulative", "tornado", "break_even_1"):
        assert f'data-chart="{chart}"' in html
    for option in result.options:
        assert option.label in html
        assert option.feasible or option.why_not[:40] in html.replace("&#x27;", "'")


def test_every_assumption_and_price_is_listed_with_its_standing(
    editor: User, viewer_client: Client, use_case: UseCase
) -> None:
    say(use_case, editor, "requests_per_day", 9000)
    projection = projections.refresh(use_case=use_case, by=editor)
    runner.run_projection(projection.pk)
    html = page(viewer_client, use_case)
    result = runner.result_of(Projection.objects.get(pk=projection.pk))
    for row in (*result.inputs, *result.prices):
        assert (row.label if hasattr(row, "label") else row.what) in html.replace("&#x27;", "'")
    assert "How many requests a day at full use?" in html
    assert "#q-requests_per_day" in html


def test_another_option_can_be_shown_and_a_wrong_one_falls_back(
    viewer_client: Client, use_case: UseCase, done: Projection
) -> None:
    result = runner.result_of(done)
    other = next(o for o in result.options if o.feasible and o.key != result.headline_option)
    url = reverse("costs", args=[use_case.pk])
    assert viewer_client.get(url, {"option": other.key}).context["chosen"].key == other.key
    for wrong in ("magnet", "", "\x00", next((o.key for o in result.options if not o.feasible), "nothing")):
        response = viewer_client.get(url, {"option": wrong})
        assert (response.status_code, response.context["chosen"].key) == (200, result.headline_option)


def test_changed_answers_are_announced_and_recomputing_makes_history(
    editor: User, editor_client: Client, use_case: UseCase, done: Projection
) -> None:
    assert "answers have changed" not in page(editor_client, use_case)
    say(use_case, editor, "requests_per_day", 9000)
    assert "answers have changed" in page(editor_client, use_case)
    editor_client.post(reverse("costs-refresh", args=[use_case.pk]))
    use_case.refresh_from_db()
    assert use_case.projection is not None
    runner.run_projection(use_case.projection.pk)
    html = page(editor_client, use_case)
    assert "answers have changed" not in html
    assert "Requests per day: assumed → 9,000" in html
    old = page(editor_client, use_case, "?revision=1")
    assert "figures of revision 1" in old


def test_new_prices_are_announced(editor_client: Client, use_case: UseCase, done: Projection) -> None:
    assert "have been updated since" not in page(editor_client, use_case)
    Projection.objects.filter(pk=done.pk).update(catalogue_version="2025-01-01+00000000")
    assert "have been updated since" in page(editor_client, use_case)


@pytest.mark.parametrize("revision", ["2", "0", "-1", "x", "9" * 30, "²", "1.0"])
def test_a_revision_without_figures_is_not_found(
    editor_client: Client, use_case: UseCase, done: Projection, revision: str
) -> None:
    for name in ("costs", "costs-json", "costs-csv"):
        assert editor_client.get(reverse(name, args=[use_case.pk]), {"revision": revision}).status_code == 404


def test_nothing_to_download_before_the_first_figures(editor_client: Client, use_case: UseCase) -> None:
    for name in ("costs-json", "costs-csv"):
        assert editor_client.get(reverse(name, args=[use_case.pk])).status_code == 404


def test_the_figures_as_json_are_the_stored_ones(viewer_client: Client, use_case: UseCase, done: Projection) -> None:
    response = viewer_client.get(reverse("costs-json", args=[use_case.pk]))
    assert 'filename="costs-return-policies-r1.json"' in response["Content-Disposition"]
    figures = json.loads(response.content)
    assert (figures["result"], figures["inputs_sha256"]) == (done.result, done.inputs_sha256)


def test_the_components_in_the_csv_add_up_to_the_cent(
    viewer_client: Client, use_case: UseCase, done: Projection
) -> None:
    response = viewer_client.get(reverse("costs-csv", args=[use_case.pk]))
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    result = runner.result_of(done)
    feasible = [o for o in result.options if o.feasible]
    assert len(rows) == len(feasible) * result.months * 12  # 8 components, their sum, three quantiles
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key, value = (row["option"], row["month"]), Decimal(row["usd"])
        if row["figure"].startswith("expected "):
            sums[key] = sums.get(key, Decimal(0)) + value
        elif row["figure"] == "expected":
            assert value == sums[key]


@pytest.mark.parametrize(
    ("part", "read", "write"),
    [
        ("anonymous", 302, 302),
        ("owner", 200, 302),
        ("editor", 200, 302),
        ("reviewer", 200, 403),
        ("viewer", 200, 403),
        ("respondent", 404, 404),
        ("outsider", 404, 404),
    ],
)
def test_who_may_read_and_who_may_compute(
    cast: dict[str, User | None],
    sign_in: Callable[[User | None], Client],
    use_case: UseCase,
    done: Projection,
    part: str,
    read: int,
    write: int,
) -> None:
    client = sign_in(cast[part])
    for name in ("costs", "costs-json", "costs-csv"):
        assert client.get(reverse(name, args=[use_case.pk])).status_code == read
    assert client.get(reverse("costs-progress", args=[use_case.pk])).status_code == (286 if read == 200 else read)
    for name in ("costs-refresh", "costs-cancel", "costs-retry"):
        assert client.post(reverse(name, args=[use_case.pk])).status_code == write


@pytest.mark.parametrize("name", ["costs-refresh", "costs-cancel", "costs-retry"])
def test_acts_need_a_post(editor_client: Client, use_case: UseCase, name: str) -> None:
    assert editor_client.get(reverse(name, args=[use_case.pk])).status_code == 405


def test_the_number_of_queries_does_not_grow_with_the_history(
    editor: User, editor_client: Client, use_case: UseCase, done: Projection
) -> None:
    url = reverse("costs", args=[use_case.pk])
    editor_client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as first:
        editor_client.get(url)
    for volume in (10, 20, 30, 40):
        say(use_case, editor, "requests_per_day", volume)
        computed(projections.refresh(use_case=use_case, by=editor))
    with CaptureQueriesContext(connection) as later:
        editor_client.get(url)
    assert len(later) == len(first)
    assert len(later) <= MOST_QUERIES


def test_polling_costs_few_queries(editor_client: Client, use_case: UseCase, waiting: Projection) -> None:
    url = reverse("costs-progress", args=[use_case.pk])
    editor_client.get(url)
    with CaptureQueriesContext(connection) as queries:
        editor_client.get(url)
    assert len(queries) <= 8


def test_a_revision_that_is_not_computed_yet_stands_in_the_history(
    editor: User, editor_client: Client, use_case: UseCase, done: Projection
) -> None:
    say(use_case, editor, "requests_per_day", 77_000)
    projections.refresh(use_case=use_case, by=editor)
    html = page(editor_client, use_case)
    assert "not computed" in html
    assert "Revision 2" in html


def test_the_start_is_told_apart_when_it_dwarfs_the_other_months(
    editor_client: Client, use_case: UseCase, done: Projection
) -> None:
    result = result_of(done)
    option = result.option(result.headline_option)
    first, later = option.monthly_mean_usd[0], max(option.monthly_mean_usd[1:])
    start = cost_figures.start_of(result, option.key)
    assert (start is not None) == (first > 2.5 * later)
    flat = replace(option, monthly_mean_usd=(first,) * result.months)
    assert cost_figures.start_of(replace(result, options=(flat,)), option.key) is None


def test_why_the_cheapest_option_is_not_the_recommended_one(
    editor: User, editor_client: Client, use_case: UseCase
) -> None:
    recommendation = factories.say(use_case, editor, **factories.HR_DESK).recommendation
    assert recommendation.target == "rag"
    runner.run_projection(projections.refresh(use_case=use_case, by=editor).pk)
    carried = next(layer.responsibility for layer in recommendation.layers if layer.key == "retrieval")
    for address in ("costs", "use-case"):
        html = editor_client.get(reverse(address, args=[use_case.pk])).content.decode().replace("&#x27;", "'")
        assert "but it leaves out retrieval, and with it what the answers ask for: " + carried in html
    say(use_case, editor, "requests_per_day", 123_000)  # the figures are of other answers now
    html = editor_client.get(reverse("use-case", args=[use_case.pk])).content.decode()
    assert "Why not the cheapest?" not in html
    assert "The answers have changed since these figures were computed." in html


def test_an_option_says_where_it_falls_short(use_case: UseCase, editor: User) -> None:
    recommendation = factories.say(use_case, editor, **factories.HR_DESK).recommendation
    runner.run_projection(projections.refresh(use_case=use_case, by=editor).pk)
    use_case.refresh_from_db()
    assert use_case.figures is not None
    result = result_of(use_case.figures)
    rows = {
        r.option.key: r for r in cost_figures.option_rows(result, "", cost_figures.Marks("rag_api"), recommendation)
    }
    assert next(iter(rows)) == "rag_api"
    assert rows["rag_api"].falls_short == ""
    assert rows["prompting_api"].falls_short == "no retrieval"
    assert rows["managed_tuning"].falls_short.startswith("no retrieval")


def test_the_page_says_once_why_not_the_cheapest() -> None:
    alone = f"Prompting costs $2k less at the middle of the first year, but {COST_ALONE}: whether it does the job …"
    result = a_result(notices=("Prices of an API are list prices.", alone))
    assert cost_figures.notices_of(result, without_comparison=True) == ["Prices of an API are list prices."]
    assert cost_figures.notices_of(result, without_comparison=False) == list(result.notices)


@pytest.mark.parametrize(("worth", "pays"), [(None, False), (0.0, False), (0.5, False), (800.0, True)])
def test_knowing_more_pays_only_beyond_a_sliver_of_the_cost(worth: float | None, pays: bool) -> None:
    result = a_result(value_of_perfect_information_usd=worth)
    assert result.option("rag_api").total_usd.p50 > 1000
    assert cost_figures.knowing_pays(result, "rag_api") is pays


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        (1.3, "own GPUs cost more a request even when they are full; today’s volume would fill 4 % of their capacity."),
        (0.25, "own GPUs are cheaper a request from a load of 25 %; today’s volume would fill 4 % of their capacity."),
        (0.0004, "own GPUs are cheaper a request at almost any load; today’s volume would fill 4 % of their capacity;"),
    ],
)
def test_the_load_from_which_own_gpus_pay_is_said_in_words(needed: float, words: str) -> None:
    result = a_result()
    pair = replace(result.break_even[0], utilisation=needed, utilisation_today=0.04)
    (line, *_) = cost_figures.break_even_lines(replace(result, break_even=(pair,)))
    assert words in line.replace("\u00a0", " ")


def test_an_option_set_by_hand_is_decided_not_recommended(
    editor: User, editor_client: Client, use_case: UseCase
) -> None:
    def marks() -> list[tuple[str, bool, bool]]:
        rows = []
        for address in ("costs", "use-case"):
            response = editor_client.get(reverse(address, args=[use_case.pk]))
            marked = [row for row in response.context["options"] if row.is_recommended or row.is_decided]
            rows.append([(row.option.key, row.is_recommended, row.is_decided) for row in marked])
            text = " ".join(response.content.decode().split())
            assert ("</svg>Decided" in text) is any(row.is_decided for row in marked)
        assert rows[0] == rows[1]
        found: list[tuple[str, bool, bool]] = rows[0]
        return found

    factories.say(use_case, editor, **factories.HR_DESK)
    computed(projections.refresh(use_case=use_case, by=editor))
    assert marks() == [("rag_api", True, False)]
    computed(scenarios.save_base(use_case=use_case, by=editor, overrides={"option": "managed_tuning"}, version=0))
    assert marks() == [("managed_tuning", False, True), ("rag_api", True, False)]
    say(use_case, editor, "requests_per_day", 123_000)
    computed(projections.refresh(use_case=use_case, by=editor))  # nobody saved: the base of before still counts
    assert marks() == [("managed_tuning", False, True), ("rag_api", True, False)]
    computed(scenarios.save_base(use_case=use_case, by=editor, overrides={"option": "rag_api"}, version=1))
    assert marks() == [("rag_api", True, True)]


def test_own_rates_that_begin_later_are_said_beside_the_figures(
    editor: User, editor_client: Client, use_case: UseCase, done: Projection
) -> None:
    used, start = DEFAULT_CHOICES.api_model, date.fromisoformat(f"{done.scenario.spec['start']}-01")
    begins = date(start.year + 1, 3, 1)
    rates = [
        rate_of(row=used, column="*", amount=None, discount_percent=20.0, **{"from": begins.isoformat()}),
        rate_of(**{"from": begins.isoformat()}),  # of a model that nothing here is priced by
        rate_of(row=used, column="input_usd_per_mtok", **{"from": date(start.year + 4, 1, 1).isoformat()}),
    ]
    assert page(editor_client, use_case).count("another rate applies") == 0
    for rate in rates:
        book_with(use_case.organisation, editor, rate)
    html = page(editor_client, use_case)
    assert html.count("another rate applies") == 1
    assert f"From {begins:%B %Y} another rate applies: <bdi>{used}, all prices: −20 %" in html
    own = page(editor_client, use_case, "?option=self_hosted_prompting")
    assert own.count("another rate applies") == 0


def test_the_scenarios_are_compared_in_one_step(editor: User, editor_client: Client, use_case: UseCase) -> None:
    computed(projections.refresh(use_case=use_case, by=editor))
    assert "side by side</a>" not in page(editor_client, use_case)
    made = scenarios.save_scenario(use_case=use_case, by=editor, name="A year", overrides={"months": 12})
    use_case.refresh_from_db()
    assert use_case.figures is not None
    assert made.current is not None
    query = f"revision={use_case.figures.scenario.revision}&amp;revision={made.current.revision}"
    address = reverse("costs-compare", args=[use_case.pk])
    assert f'href="{address}?{query}">Compare them side by side</a>' in page(editor_client, use_case)
