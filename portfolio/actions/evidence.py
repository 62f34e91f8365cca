"""Recording what was measured, letting a run fill the answers about it, and taking a mistaken run back."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from organisations import audit
from organisations.models import User
from portfolio.actions.answers import Given, Saved, refuse_retired, save_answers
from portfolio.decision import read_inputs
from portfolio.governance.ladder import effect_of_retrieval, name_of_data, plain
from portfolio.governance.score_words import in_words
from portfolio.models import Assessment, EvaluationAttachment, EvaluationRun, UseCase
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.spec import Value

LARGEST_BYTES = 10 * 1024 * 1024
LONGEST_NAME = 200
_MARKED = re.compile(r"Evaluation run (\d{1,18}):")  # longer ones are the key of nothing
# Which answer a rung's measurement is.
ANSWER_OF = {
    "prompting": "prompt_score",
    "retrieval": "rag_score",
    "fine_tuning": "tuned_score",
    "retrieval_on_tuned": "retrieval_on_tuned",
}


class InvalidAttachmentError(ValueError):
    """A file that cannot be stored; the text says why and what to do."""


class WithdrawnError(ValueError):
    """The run was withdrawn already, by `run.withdrawn_by`."""


@dataclass(frozen=True)
class Measured:
    """What somebody measured. `spread`, for a share, is the one that follows from it (`scores.spread_of_share`)."""

    rung: str
    dataset: str
    dataset_version: str
    metric: str
    higher_is_better: bool
    score: float
    sample_size: int
    ran_on: date
    title: str = ""
    spread: float | None = None
    target: float | None = None
    cost_usd: Decimal | None = None
    note: str = ""


@dataclass(frozen=True)
class Upload:
    """A file as it came: whatever type its sender claims is not kept."""

    name: str
    content: bytes

    def __post_init__(self) -> None:
        check_file(self.name, len(self.content))


@dataclass(frozen=True)
class Recorded:
    """`saved` is None where the run was not to fill the answers."""

    run: EvaluationRun
    saved: Saved | None


Address = Callable[[EvaluationRun], str]  # the run's page, absolute; "" where there is no address to give


def check_file(name: str, size: int) -> None:
    """Raises InvalidAttachmentError for an empty file, one of too many bytes, and a name that would not do."""
    if not size:
        raise InvalidAttachmentError("The file is empty. Choose another one.")
    if size > LARGEST_BYTES:
        megabytes = size / 1024**2
        raise InvalidAttachmentError(f"The file has {megabytes:.1f} MB; at most 10 MB fit. Compress it, or link to it.")
    _check_name(name)


def _check_name(name: str) -> None:
    """A name must survive a download and may not hide what it is."""
    if not name.strip(". "):
        raise InvalidAttachmentError("The file has no name. Rename it and choose it again.")
    if len(name) > LONGEST_NAME:
        raise InvalidAttachmentError(
            f"The file’s name has {len(name)} characters; at most {LONGEST_NAME} fit. Rename it."
        )
    odd = next((c for c in name if c in '/\\<>:"|?*' or unicodedata.category(c) in ("Cc", "Cf", "Cs")), None)
    if odd is not None:
        shown = f"“{odd}”" if odd.isprintable() else f"an invisible character (U+{ord(odd):04X})"
        raise InvalidAttachmentError(f"The file’s name contains {shown}. Rename it and choose it again.")


@transaction.atomic
def record_run(
    *,
    use_case: UseCase,
    by: User,
    measured: Measured,
    attachment: Upload | None = None,
    use: bool = True,
    address: Address = lambda run: "",
) -> Recorded:
    """Keep a measurement with its file; with `use`, it also becomes the answers of `by` about this rung.

    Raises InvalidAnswerError when an answer cannot be stored (then the run is not either), RetiredError.
    """
    current = _locked(use_case)
    run = EvaluationRun(use_case=current, assessment=current.assessment(), recorded_by=by, **vars(measured))
    run.full_clean(exclude=["use_case", "assessment", "recorded_by", "withdrawn_by"])
    run.save()
    if attachment is not None:
        EvaluationAttachment.objects.create(
            run=run,
            name=attachment.name,
            size=len(attachment.content),
            sha256=hashlib.sha256(attachment.content).hexdigest(),
            content=attachment.content,
        )
    details = {"file": attachment.name} if attachment else {}
    _record("recorded_run", run, by, **details)
    return Recorded(run, _fill(run, by, address) if use else None)


@transaction.atomic
def use_run(*, run: EvaluationRun, by: User, address: Address = lambda run: "") -> Saved:
    """Make this run the answers of `by` about its rung. Raises WithdrawnError, RetiredError."""
    current = _current(run)
    _record("used_run", current, by)
    return _fill(current, by, address)


@transaction.atomic
def withdraw_run(*, run: EvaluationRun, by: User, reason: str) -> EvaluationRun:
    """Take a mistaken run back, with the reason; it stays visible and no longer counts.

    The score that `by` answered from it is withdrawn too; what others answered from it stays theirs to change.
    Raises ValueError for an empty reason, WithdrawnError, RetiredError.
    """
    if not reason.strip():
        raise ValueError("the reason is empty; say in a sentence what was wrong")
    current = _current(run)
    current.withdrawn_at, current.withdrawn_by, current.withdrawal_reason = timezone.now(), by, reason.strip()
    current.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawal_reason"])
    _record("withdrew_run", current, by, reason=reason.strip()[:2_000])
    assessment = current.use_case.assessment()
    question_id = ANSWER_OF[current.rung]
    mine = assessment.answers.filter(question_id=question_id, respondent=by, comment__startswith=mark(current))
    if mine.speaking().exists():
        question = load(assessment.questionnaire_version).question(question_id)
        save_answers(assessment=assessment, given=[Given(question)], by=by, verb="withdrew_answer")
    return current


def mark(run: EvaluationRun) -> str:
    """How the comment of an answer that comes from this run begins."""
    return f"Evaluation run {run.pk}:"


def run_of(comment: str) -> int | None:
    """The key of the run that an answer with this comment comes from; the reverse of `mark`."""
    match = _MARKED.match(comment)
    return int(match[1]) if match else None


def comment_on(run: EvaluationRun) -> str:
    """The comment of an answer that comes from this run: what was measured, on what, when."""
    title = f" {run.title.rstrip('.')}." if run.title else ""
    where = f"{name_of_data(run.as_run)}, {run.ran_on.day} {run.ran_on:%B %Y}"
    return f"{mark(run)}{title} {in_words(run.measured)} on {where}.".replace("\u00a0", " ")


def _fill(run: EvaluationRun, by: User, address: Address) -> Saved:
    """The run as answers of `by`, in one act: the rung's own, and metric and target where they say something new."""
    assessment = run.use_case.assessment()
    questionnaire = load(assessment.questionnaire_version)
    own = {answer.question_id: answer.value for answer in assessment.answers.filter(respondent=by)}
    said = _answers_of(run, assessment)
    shared = {"metric", "metric_target"}
    given = [
        Given(questionnaire.question(key), value, comment=comment_on(run), evidence_url=address(run))
        for key, value in said.items()
        if key not in shared or own.get(key) != value
    ]
    return save_answers(assessment=assessment, given=given, by=by)


def _answers_of(run: EvaluationRun, assessment: Assessment) -> dict[str, Value]:
    """Question → what the run says to it."""
    answers: dict[str, Value] = {"metric": _metric(run, assessment)}
    if run.target is not None:
        answers["metric_target"] = run.target
    if run.rung != "retrieval_on_tuned":
        answers[ANSWER_OF[run.rung]] = run.score
        return answers
    others = EvaluationRun.objects.counting().filter(use_case=run.use_case).exclude(pk=run.pk)
    effect = effect_of_retrieval(run.as_run, [other.as_run for other in others])
    if effect is not None:
        answers[ANSWER_OF[run.rung]] = effect
    return answers


def _metric(run: EvaluationRun, assessment: Assessment) -> dict[str, Any]:
    """The metric in the spelling that the answers hold already, so that a capital letter makes no dispute."""
    agreed = read_inputs(assessment).effective.answers.get("metric")
    if isinstance(agreed, dict):
        same = plain(str(agreed.get("name", ""))) == plain(run.metric)
        if same and agreed.get("higher_is_better") == run.higher_is_better:
            return agreed
    return {"name": run.metric, "higher_is_better": run.higher_is_better}


def _locked(use_case: UseCase) -> UseCase:
    """The use case as it stands once everybody who writes in its organisation has finished."""
    audit.lock(use_case.organisation_id)
    current = UseCase.objects.select_related("organisation").get(pk=use_case.pk)
    refuse_retired(current)
    return current


def _current(run: EvaluationRun) -> EvaluationRun:
    """The run as it stands under the lock."""
    use_case = _locked(run.use_case)
    current = EvaluationRun.objects.select_related("withdrawn_by").get(pk=run.pk)
    current.use_case = use_case
    if current.withdrawn_at is not None:
        raise WithdrawnError(f"{current.withdrawn_by or 'somebody'} has withdrawn this run already")
    return current


def _record(verb: str, run: EvaluationRun, by: User, **more: str) -> None:
    use_case = run.use_case
    details = {
        "run": run.pk,
        "rung": run.get_rung_display(),
        "score": in_words(run.measured).replace("\u00a0", " "),
        "metric": run.metric,
        "data": name_of_data(run.as_run),
        **more,
    }
    audit.record(organisation=use_case.organisation, by=by, verb=verb, target=use_case, details=details)
