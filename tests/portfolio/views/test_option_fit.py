"""Fit with the recommendation comes from its layers; dominated options are said by which, where the draws allow it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from costing.models import Projection
from costing.public import first_year, result_of, spec_of
from organisations.models import Organisation, User
from portfolio import projections
from portfolio.models import UseCase
from portfolio.questionnaire.outcome import Layer, Need, Recommendation, Target
from portfolio.questionnaire.recommend import recommend
from portfolio.views.option_fit import SURE, WORDS, Fit, beside, fit_of
from tests.portfolio.factories import HR_DESK, say, use_case_in
from tests.portfolio.figures import computed


def asked(target: Target, retrieval: Need, tuning: Need) -> Recommendation:
    layers = (
        Layer("prompting", Need.REQUIRED, "-"),
        Layer("retrieval", retrieval, "-"),
        Layer("fine_tuning", tuning, "-"),
    )
    return replace(recommend(HR_DESK), target=target, layers=layers)


@pytest.mark.parametrize(
    ("target", "retrieval", "tuning", "expected"),
    [
        (Target.RAG, Need.REQUIRED, Need.RULED_OUT, (1, 3, 0, 0)),
        (Target.PROMPTING, Need.HELPFUL, Need.NOT_NEEDED, (2, 3, 2, 3)),
        (Target.HYBRID, Need.REQUIRED, Need.HELPFUL, (1, 1, 1, 3)),
        (Target.FINE_TUNING, Need.NOT_NEEDED, Need.REQUIRED, (1, 1, 3, 3)),
    ],
)
def test_the_class_of_each_approach(
    target: Target, retrieval: Need, tuning: Need, expected: tuple[int, int, int, int]
) -> None:
    recommendation = asked(target, retrieval, tuning)
    found = tuple(int(fit_of(a, recommendation)) for a in ("prompting", "rag", "fine_tuning", "hybrid"))
    assert found == expected


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, **HR_DESK, requests_per_day=2_000)
    return use_case


@pytest.fixture
def done(use_case: UseCase, owner: User) -> Projection:
    return computed(projections.refresh(use_case=use_case, by=owner))


def test_an_option_is_dominated_by_one_that_fits_and_costs_less(done: Projection) -> None:
    recommendation = recommend({**HR_DESK, "requests_per_day": 2_000})
    options = result_of(done).options
    found = beside(done, options, recommendation)
    assert found is not None
    labels = {option.label: option for option in options}
    for key, words in found.dominated.items():
        other = next(o for label, o in labels.items() if label.lower() in words.lower().split(", which")[0] + " ")
        assert fit_of(other.approach, recommendation) >= fit_of(result_of(done).option(key).approach, recommendation)
    spec, lineage = spec_of(done.scenario), done.scenario.lineage
    rag, own = (first_year(spec, key, lineage=lineage, draws=1024) for key in ("rag_api", "self_hosted_rag"))
    assert rag.usd is not None
    assert own.usd is not None
    assert (float((rag.usd < own.usd).mean()) >= SURE) == ("self_hosted_rag" in found.dominated)
    assert [heading for heading, _ in found.chart.groups] == [
        WORDS[fit]
        for fit in sorted(Fit, reverse=True)
        if any(fit_of(o.approach, recommendation) is fit for o in options if o.feasible)
    ]


def test_older_figures_are_not_called_dominated(done: Projection) -> None:
    done.engine_version = "0.9"
    found = beside(done, result_of(done).options, recommend(HR_DESK))
    assert found is not None
    assert found.dominated == {}
    assert beside(done, result_of(done).options, None) is None


def test_the_costs_page_shows_both(
    use_case: UseCase, done: Projection, owner: User, sign_in: Callable[..., Client]
) -> None:
    body = sign_in(owner).get(reverse("costs", args=[use_case.pk])).content.decode()
    assert 'id="chart-fit"' in body
    assert "Dominated by" in body
    assert reverse("costs-what-if", args=[use_case.pk]) in body
    assert reverse("costs-compare", args=[use_case.pk]) in body
