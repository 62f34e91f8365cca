"""The demo organisation is there as a whole or not at all."""

from copy import deepcopy
from typing import Any

import pytest

from costing.models import Projection
from organisations import audit
from organisations.models import Organisation, User
from portfolio.actions import InvalidAnswerError
from portfolio.demo import build
from portfolio.demo.definition import definition
from portfolio.models import UseCase


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
    assert Projection.objects.count() == 2
    assert audit.verify(organisation.pk).ok


@pytest.mark.django_db(transaction=True)
def test_a_demo_that_fails_on_the_way_leaves_nothing(small: dict[str, Any]) -> None:
    """Otherwise half of it would stay for good: neither `demo` nor the next start would build it again."""
    answers = small["use_cases"][1]["answers"]
    answers[next(iter(answers))]["requests_per_day"] = "many"
    with pytest.raises(InvalidAnswerError):
        build.build()
    assert (Organisation.objects.count(), User.objects.count(), UseCase.objects.count()) == (0, 0, 0)
