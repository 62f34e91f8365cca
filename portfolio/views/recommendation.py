"""Why: the recommendation with its reasons, what speaks against it, what would change it and how to get there."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portfolio.governance import dossier
from portfolio.permissions import SignedInRequest, get_use_case_for
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.outcome import Alternative, Finding, Target
from portfolio.questionnaire.wording import METHODS
from portfolio.views import overview
from portfolio.views.overview import Standing

WITHOUT_MODEL = {"rules": "A program with fixed rules", "lookup": "An exact look-up", "buy": "A product to buy"}


@login_required
@require_GET
def recommendation(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    context = overview.context(use_case)
    now: Standing = context["standing"]
    governed = dossier.build(now.inputs.effective.answers, now.recommendation)
    context |= {
        "method_words": METHODS.get(str(now.recommendation.method), ""),
        "reasons": _findings(now, now.recommendation.reasons),
        "objections": _findings(now, now.recommendation.objections),
        "rejected": _rejected(now),
        "without_model": _without_model(now),
        "shares": _shares(now),
        "sources": dict(now.questionnaire.sources),
        "dossier": governed,
        "risks": overview.risk_rows(governed.risks),
        "answered": _answered(now),
        "derived": _derived(now),
    }
    return render(request, "portfolio/recommendation.html", context)


def _findings(now: Standing, findings: tuple[Finding, ...]) -> list[tuple[Finding, list[tuple[Any, str]]]]:
    """Each rule with the answers that fired it, in words; the heaviest first."""
    return [(finding, _in_words(now, finding.answers)) for finding in sorted(findings, key=lambda f: -f.weight)]


def _rejected(now: Standing) -> list[dict[str, Any]]:
    """The other targets: why not, the nearest way there, and in which share of the ways to answer what is open."""
    recommendation = now.recommendation
    shares = recommendation.robustness.targets
    why = {row.target: row for row in recommendation.rejected}
    others = [target for target in Target if target != recommendation.target]
    return [
        {
            "target": target.value,
            "share": shares.get(target.value, 0.0),
            "text": why[target].text if target in why else "",
            "nearest": why[target].nearest if target in why else "",
        }
        for target in others
    ]


def _without_model(now: Standing) -> list[tuple[str, Alternative, list[tuple[Any, str]]]]:
    """Ways without a model, each with its name and the answers that point to it."""
    ways = now.recommendation.without_model
    return [(WITHOUT_MODEL[way.kind], way, _in_words(now, way.answers)) for way in ways]


def _in_words(now: Standing, question_ids: tuple[str, ...]) -> list[tuple[Any, str]]:
    """Questions with the answers that counted, those that were filled in among them."""
    questions, answers = now.questions, now.inputs.effective.answers
    derived = {d.question_id: d.value for d in now.recommendation.derived}
    return [
        (questions[key], describe(questions[key], answers.get(key, derived.get(key))))
        for key in question_ids
        if key in questions
    ]


def _shares(now: Standing) -> list[tuple[str, float]]:
    targets = now.recommendation.robustness.targets
    return sorted(((key, share) for key, share in targets.items() if share > 0), key=lambda row: -row[1])


def _answered(now: Standing) -> list[tuple[Any, list[tuple[Any, str]]]]:
    """Section by section, every answer that counted, in words."""
    answers = now.inputs.effective.answers
    groups = [
        (section, [(q, describe(q, answers[q.id])) for q in section.questions if q.id in answers])
        for section in now.questionnaire.sections
    ]
    return [(section, rows) for section, rows in groups if rows]


def _derived(now: Standing) -> list[tuple[Any, str, str]]:
    """Answers that were filled in, in words, with the reason."""
    questions = now.questions
    return [
        (questions[d.question_id], describe(questions[d.question_id], d.value), d.because)
        for d in now.recommendation.derived
        if d.question_id in questions
    ]
