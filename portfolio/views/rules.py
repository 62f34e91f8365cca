"""Every rule of the decision, how often each fires in this organisation, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from organisations.permissions import require
from organisations.roles import Permission
from portfolio.lifecycle import Stage
from portfolio.models import FiredRule, PolicyVersion, UseCase
from portfolio.permissions import SignedInRequest
from portfolio.questionnaire.loading import load, versions
from portfolio.questionnaire.policy import BY_NAME, Policy, Threshold
from portfolio.questionnaire.recommend import RULES_VERSION
from portfolio.questionnaire.rules import explained
from portfolio.questionnaire.rules.explained import DerivedRule, Explained
from portfolio.questionnaire.rules.table import RULES
from portfolio.questionnaire.spec import Question

SHOWN = 50
WORDS_AT_MOST = 10


@dataclass(frozen=True)
class Row:
    """A rule as the page shows it."""

    known: Explained
    questions: tuple[Question, ...]
    sources: tuple[tuple[str, str], ...]  # key and full title
    thresholds: tuple[tuple[Threshold, str], ...]  # with this organisation's value
    count: int
    share: float  # of the assessed use cases


@dataclass(frozen=True)
class Derived:
    known: DerivedRule
    question: str
    becomes: str
    looks_at: tuple[Question, ...]
    thresholds: tuple[tuple[Threshold, str], ...]


class Words:
    """What rules refer to by id, in the words of the newest questionnaire and this organisation's policy."""

    def __init__(self, policy: Policy) -> None:
        loaded = [load(version) for version in versions()]  # a later version may have dropped a question
        self.questions = {question.id: question for one in loaded for question in one.questions}
        self.sources = {key: title for one in loaded for key, title in one.sources}
        self.policy = policy

    def asked(self, ids: tuple[str, ...]) -> tuple[Question, ...]:
        return tuple(self.questions[key] for key in ids if key in self.questions)

    def row(self, known: Explained, count: int, assessed: int) -> Row:
        return Row(
            known,
            questions=self.asked(known.rule.looks_at),
            sources=tuple((key, self.sources.get(key, key)) for key in known.rule.sources),
            thresholds=self.valued(known.thresholds),
            count=count,
            share=count / assessed if assessed else 0.0,
        )

    def valued(self, thresholds: tuple[Threshold, ...]) -> tuple[tuple[Threshold, str], ...]:
        return tuple((threshold, threshold.words(threshold.of(self.policy))) for threshold in thresholds)

    def derived(self, known: DerivedRule) -> Derived:
        question = self.questions[known.question_id]
        label = next((option.label for option in question.options if option.code == known.becomes), known.becomes)
        thresholds = self.valued(tuple(BY_NAME[name] for name in known.thresholds))
        return Derived(known, question.text, label, self.asked(known.looks_at), thresholds)


@login_required
@require_GET
def rules(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.VIEW)
    organisation_id = membership.organisation_id
    assessed = _assessed(organisation_id)
    counts = FiredRule.objects.standing_in(organisation_id).counts()
    newest = PolicyVersion.objects.of(organisation_id).first()
    words = Words(newest.policy if newest else Policy())
    wanted = {name: request.GET.get(name, "").strip()[:200] for name in ("q", "layer", "fires")}
    layers = [
        (layer, [words.row(known, counts.get(known.rule.id, 0), assessed) for known in layer.rules])
        for layer in explained.layers()
    ]
    shown = [(layer, [row for row in rows if _is_wanted(row, wanted)]) for layer, rows in layers]
    never = sum(row.count == 0 for _, rows in layers for row in rows)
    context = {
        "layers": [(layer, rows) for layer, rows in shown if rows],
        "layer_names": [(layer.key, layer.title) for layer, _ in layers],
        "wanted": wanted,
        "is_filtered": any(wanted.values()),
        "rule_count": len(RULES),
        "assessed": assessed,
        "never": never,
        "rules_version": RULES_VERSION,
        "policy_number": newest.number if newest else 0,
        "derived": [words.derived(known) for known in explained.DERIVED],
        "readings": explained.READINGS,
        "statuses": explained.STATUS_ORDER,
        "combinations": explained.combinations(),
        "targets": explained.targets(),
        "sketch": explained.SKETCH,
        "differences": explained.SKETCH_DIFFERENCES,
        "sources": sorted(words.sources.items()),
    }
    return render(request, "portfolio/rules.html", context)


@login_required
@require_GET
def rule_use_cases(request: SignedInRequest, rule_id: str) -> HttpResponse:
    """The use cases in whose recommendation the rule is a reason or an objection."""
    membership = require(request, Permission.VIEW)
    rule = next((rule for rule in RULES if rule.id == rule_id), None)
    if rule is None:
        raise Http404("no such rule")
    fired = FiredRule.objects.standing_in(membership.organisation_id).filter(rule=rule_id)
    use_cases = UseCase.objects.filter(pk__in=fired.values("use_case")).for_list().in_order("title")
    count = fired.count()
    context = {
        "known": explained.explained(rule),
        "use_cases": use_cases[:SHOWN],
        "count": count,
        "hidden": max(0, count - SHOWN),
        "assessed": _assessed(membership.organisation_id),
    }
    return render(request, "portfolio/rule_use_cases.html", context)


def _assessed(organisation_id: int) -> int:
    """Use cases with a recommendation, without the retired ones: what shares are of."""
    return (
        UseCase.objects.filter(organisation_id=organisation_id).exclude(target="").exclude(stage=Stage.RETIRED).count()
    )


def _is_wanted(row: Row, wanted: Mapping[str, str]) -> bool:
    rule = row.known.rule
    if wanted["layer"] and rule.about != wanted["layer"]:
        return False
    if (wanted["fires"] == "never" and row.count) or (wanted["fires"] == "yes" and not row.count):
        return False
    text = " ".join(
        (
            rule.id,
            rule.text,
            rule.effect,
            row.known.effect,
            *(question.text for question in row.questions),
            *(f"{question.id}" for question in row.questions),
            *(f"{key} {title}" for key, title in row.sources),
            *(threshold.title for threshold, _ in row.thresholds),
        )
    ).lower()
    return all(word in text for word in wanted["q"].lower().split()[:WORDS_AT_MOST])


RULE_URLS = [
    path("rules/", rules, name="rules"),
    path("rules/<str:rule_id>/", rule_use_cases, name="rule-use-cases"),
]
