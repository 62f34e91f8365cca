"""Many invented organisations: rows as people's acts leave them, and recommendations of the real rules."""

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organisations import audit
from organisations.models import AuditEvent, Membership, Organisation
from portfolio.budgets import in_force
from portfolio.decision import decide, read_inputs
from portfolio.demo import bulk
from portfolio.demo.variation import PLANNED, kinds, variant
from portfolio.models import Answer, AnswerRevision, Assessment, Budget, FiredRule, RecommendationSnapshot, UseCase
from portfolio.questionnaire.answers import clean
from portfolio.questionnaire.loading import LATEST, load

OF_A_USE_CASE = (
    "use-case",
    "questionnaire-quick",
    "recommendation",
    "evidence",
    "use-case-review",
    "costs",
    "reports",
    "use-case-activity",
)
OF_THE_ORGANISATION = ("use-cases", "reviews", "rules", "requests", "budgets", "units", "members", "activity-log")


@pytest.mark.parametrize(("organisations", "use_cases"), [(100, 10_000), (1, 7), (7, 7), (3, 20), (10, 1_000)])
def test_sizes_add_up_and_the_first_is_the_largest(organisations: int, use_cases: int) -> None:
    spread = bulk.sizes(organisations, use_cases, seed=1)
    assert (len(spread), sum(spread), min(spread) >= 1) == (organisations, use_cases, True)
    assert spread[0] == max(spread)


def test_the_largest_of_a_hundred_has_a_tenth() -> None:
    first, *others = bulk.sizes(100, 10_000, seed=1)
    assert first == 1_000
    assert max(others) < 1.6 * min(others) + 20


def test_more_organisations_than_use_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="4 use cases cannot be spread over 5 organisations"):
        bulk.sizes(5, 4, seed=1)


def test_every_answer_of_a_variant_passes_the_questionnaires_check() -> None:
    questionnaire = load(LATEST)
    for number in range(200):
        drawn = variant(Random(number))
        for key, value in (*drawn.answers.items(), *drawn.disputed.items()):
            assert clean(questionnaire.question(key), value) == value


def test_variants_are_the_same_for_a_seed_and_span_orders_of_magnitude() -> None:
    assert variant(Random("a")) == variant(Random("a"))
    drawn = [variant(Random(number)) for number in range(400)]
    volumes = sorted(d.answers["requests_per_day"] for d in drawn if "requests_per_day" in d.answers)
    assert volumes[-10] > 300 * volumes[10]
    assert {d.kind.titles for d in drawn} == {kind.titles for kind in kinds()}
    planned = Counter(d.planned for d in drawn)
    assert set(planned) == set(PLANNED)
    assert 0.25 < planned["fine_tuning"] / 400 < 0.45


@pytest.fixture
def built(db: None) -> list[bulk.Size]:
    return list(bulk.build(organisations=2, use_cases=40, seed=3))


def test_snapshots_are_what_the_rules_say_to_the_stored_answers(built: list[bulk.Size]) -> None:
    for assessment in Assessment.objects.select_related("use_case", "policy"):
        decision, use_case = decide(read_inputs(assessment)), assessment.use_case
        snapshot = RecommendationSnapshot.objects.get(assessment=assessment)
        found = decision.recommendation
        assert snapshot.answers_sha256 == decision.inputs_sha256
        assert snapshot.recommendation.to_dict() == found.to_dict()
        assert (use_case.target, use_case.status) == (found.target, found.status)
        assert use_case.robustness == found.robustness.share
        fired = set(FiredRule.objects.filter(use_case=use_case).values_list("rule", flat=True))
        assert fired == {finding.rule for finding in (*found.reasons, *found.objections)}


def test_every_answer_has_its_first_revision(built: list[bulk.Size]) -> None:
    of_answers = list(Answer.objects.order_by("pk").values_list("pk", "revision", "value"))
    of_revisions = list(AnswerRevision.objects.order_by("answer").values_list("answer", "revision", "value"))
    assert of_answers == of_revisions
    members = set(Membership.objects.values_list("organisation", "user"))
    answering = Answer.objects.values_list("assessment__use_case__organisation", "respondent").distinct()
    assert set(answering) <= members


def test_one_event_tells_what_was_built_and_the_chain_is_intact(built: list[bulk.Size]) -> None:
    assert AuditEvent.objects.count() == 2
    for size in built:
        assert audit.verify(size.organisation.pk).ok
        here = UseCase.objects.filter(organisation=size.organisation).count()
        assert here == size.use_cases
        told = audit.describe(AuditEvent.objects.get(organisation_id=size.organisation.pk))
        assert told.startswith(f"Tunewise built the demo organisation “{size.organisation}”: {here} use cases, ")


def test_budgets_are_in_force_and_above_those_of_the_units(built: list[bulk.Size]) -> None:
    for size in built:
        whole = in_force(size.organisation.pk, timezone.localdate())
        of_units = Budget.objects.filter(organisation=size.organisation, unit__isnull=False)
        assert whole is not None
        assert sum(budget.amount for budget in of_units) <= whole.amount * Decimal("1.02")  # each is rounded


def test_billing_tags_are_unique_and_stages_fit_the_verdict(built: list[bulk.Size]) -> None:
    tags = UseCase.objects.exclude(billing_tag="").values("organisation", "billing_tag").annotate(n=Count("pk"))
    assert {row["n"] for row in tags} == {1}
    stuck = UseCase.objects.filter(status__in=bulk.STUCK).values_list("stage", flat=True)
    assert set(stuck) <= {"idea", "assessment", "retired"}


def test_the_same_seed_builds_the_same(db: None) -> None:
    columns = ("organisation__name", "title", "stage", "planned", "target", "robustness", "owner__email")
    told = []
    for _ in range(2):
        with transaction.atomic():
            list(bulk.build(organisations=2, use_cases=12, seed=9))
            told.append(list(UseCase.objects.order_by("pk").values_list(*columns)))
            transaction.set_rollback(True)
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "name",
    [
        "use-case",
        "questionnaire",
        "questionnaire-quick",
        "recommendation",
        "evidence",
        "use-case-review",
        "costs",
        "reports",
    ],
)
def test_every_page_of_a_use_case_works(built: list[bulk.Size], client: Client, name: str) -> None:
    client.force_login(built[0].owner, backend="django.contrib.auth.backends.ModelBackend")
    for use_case in UseCase.objects.filter(organisation=built[0].organisation)[:8]:
        assert client.get(reverse(name, args=[use_case.pk]), follow=True).status_code == 200


@pytest.mark.parametrize(
    "name", ["use-cases", "reviews", "rules", "requests", "budgets", "units", "members", "activity-log"]
)
def test_every_page_of_the_organisation_works(built: list[bulk.Size], client: Client, name: str) -> None:
    client.force_login(built[0].owner, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse(name)).status_code == 200


def test_the_command_says_how_to_sign_in(db: None, capsys: Any, client: Client) -> None:
    call_command("demo", organisations=2, use_cases=6)
    last = capsys.readouterr().out.splitlines()[-1]
    email, password = last.split(" as ")[1].split(", password ")
    assert client.login(email=email, password=password)
    with pytest.raises(CommandError, match="there already"):
        call_command("demo", organisations=2, use_cases=6)


def test_projections_are_computed_if_asked_for(db: None, capsys: Any) -> None:
    call_command("demo", organisations=1, use_cases=2, seed=5, compute=True)
    computed = UseCase.objects.exclude(stage="retired")
    assert computed.count() >= 1
    assert all(use_case.annual_p50_usd is not None and use_case.figures_id for use_case in computed)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"use_cases": 5}, "--use-cases goes with --organisations"),
        ({"compute": True}, "--compute goes with --organisations"),
        ({"organisations": 0}, "--organisations is 0"),
        ({"organisations": 2, "use_cases": 1}, "cannot be spread"),
        ({"organisations": 2, "sign_ins": True}, "leave them out"),
    ],
)
def test_options_that_make_no_sense_are_refused(db: None, options: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("demo", **options)
    assert not Organisation.objects.exists()
