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
from portfolio.questionnaire.outcome import Finding, Target
from portfolio.views import overview
from portfolio.views.overview import Standing

METHOD_WORDS = {"lora": "LoRA", "qlora": "QLoRA", "full": "all weights"}


@login_required
@require_GET
def recommendation(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    context = overview.context(use_case)
    now: Standing = context["standing"]
    governed = dossier.build(now.inputs.effective.answers, now.recommendation)
    context |= {
        "method_words": METHOD_WORDS.get(str(now.recommendation.method), ""),
        "reasons": _findings(now, now.recommendation.reasons),
        "objections": _findings(now, now.recommendation.objections),
        "rejected": _rejected(now),
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
    questions, answers = now.questions, now.inputs.effective.answers
    derived = {d.question_id: d.value for d in now.recommendation.derived}
    return [
        (
            finding,
            [
                (questions[key], describe(questions[key], answers.get(key, derived.get(key))))
                for key in finding.answers
                if key in questions
            ],
        )
        for finding in sorted(findings, key=lambda f: -f.weight)
    ]


def _rejected(now: Standing) -> list[tuple[str, float, list[str]]]:
    """The other targets: in which share of the ways to answer what is open each wins, and the nearest way there."""
    recommendation = now.recommendation
    rows = []
    for target in Target:
        if target != recommendation.target:
            share = recommendation.robustness.targets.get(target.value, 0.0)
            flips = [flip.text for flip in recommendation.flips if flip.target == target][:1]
            rows.append((target.value, share, flips))
    return rows


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
