"""The demo organisation is there as a whole or not at all."""

from copy import deepcopy
from typing import Any

import pytest
from django.utils import timezone

from costing.models import Projection
from organisations import audit
from organisations.models import Organisation, User
from portfolio import reassessment
from portfolio.actions import InvalidAnswerError
from portfolio.budgets import in_force, units_in_force
from portfolio.decision import leads_to, read_inputs
from portfolio.demo import build
from portfolio.demo.definition import definition
from portfolio.models import AnswerRequest, UseCase


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The demo's own definition, cut to its first two use cases."""
    short = deepcopy(definition())
    short["use_cases"] = short["use_cases"][:2]
    monkeypatch.setattr(build, "definition", lambda: short)
    return short


def test_the_demo_is_built_by_the_acts_of_its_people(db: None, small: dict[str, Any]) -> None:
    organisation = build.build()
    assert build.exists()
    assert [u.title for u in UseCase.objects.order_by("pk")] == [entry["title"] for entry in small["use_cases"]]
    asked = [1 + len(entry.get("by_hand", [])) + len(entry.get("scenarios", [])) for entry in small["use_cases"]]
    assert Projection.objects.count() == sum(asked)
    assert [u.stage for u in UseCase.objects.order_by("pk")] == ["live", "assessment"]
    assert audit.verify(organisation.pk).ok


def test_what_the_demo_shows_of_working_together_can_be_seen(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dispute that the result hangs on, a question with a date, one declined, reviews, an earlier questionnaire."""
    chosen = ("Styling assistant", "Season reports search", "HR policy", "Planogram")
    short = deepcopy(definition())
    short["use_cases"] = [entry for entry in short["use_cases"] if entry["title"].startswith(chosen)]
    monkeypatch.setattr(build, "definition", lambda: short)
    organisation = build.build()
    styling = UseCase.objects.get(title="Styling assistant").assessment()
    said = dict(styling.answers.filter(question_id="facts_needed").values_list("value", "comment"))
    assert set(said) == {"none", "core"}
    assert all(said.values())
    inputs = read_inputs(styling)
    assert leads_to(inputs, "facts_needed", "none").target != leads_to(inputs, "facts_needed", "core").target
    asked = AnswerRequest.objects.exclude(question_id="").order_by("question_id")
    assert [(row.question_id, row.is_open, bool(row.decline_reason)) for row in asked] == [
        ("data_rights", True, False),
        ("growth_per_month", False, True),
    ]
    today = timezone.localdate()
    assert [u.title for u in UseCase.objects.all().to_review("overdue", today)] == ["HR policy questions"]
    behind = reassessment.behind(UseCase.objects.all(), reassessment.versions_in_force(organisation.pk))
    assert [u.title for u in behind] == ["Planogram language for window displays"]


@pytest.mark.django_db(transaction=True)
def test_a_demo_that_fails_on_the_way_leaves_nothing(small: dict[str, Any]) -> None:
    """Otherwise half of it would stay for good: neither `demo` nor the next start would build it again."""
    answers = small["use_cases"][1]["answers"]
    answers[next(iter(answers))]["requests_per_day"] = "many"
    with pytest.raises(InvalidAnswerError):
        build.build()
    assert (Organisation.objects.count(), User.objects.count(), UseCase.objects.count()) == (0, 0, 0)


def test_the_demo_has_budgets_plans_and_tags(db: None, small: dict[str, Any]) -> None:
    organisation = build.build()
    said = [(entry["planned"], entry["billing_tag"]) for entry in small["use_cases"]]
    assert list(UseCase.objects.order_by("pk").values_list("planned", "billing_tag")) == said
    today = timezone.localdate()
    whole = in_force(organisation.pk, today)
    assert whole is not None
    assert (whole.starts_on, whole.months) == (today.replace(day=1), 12)
    of_units = units_in_force(organisation.pk, today)
    assert 0 < sum(budget.amount for budget in of_units.values()) < whole.amount
