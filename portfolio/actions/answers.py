"""Saving, withdrawing and restoring answers, and settling disputes.

Each act is one short transaction that holds the answer, its history, the audit row, the recommendation's snapshot and
the use case's columns together. The recommendation is computed before the write lock is taken and stored if the
assessment's revision is still the one it was computed from; otherwise it is computed again under the lock, so that any
number of people answering at once come to an end. What somebody says while the use case is assessed again goes to the
assessment that counts by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.utils import timezone

from organisations import audit
from organisations.models import User
from portfolio.actions import announce
from portfolio.decision import Decision, Inputs, decide, read_inputs
from portfolio.models import (
    Answer,
    AnswerRevision,
    Assessment,
    FiredRule,
    RecommendationSnapshot,
    Settlement,
    UseCase,
)
from portfolio.questionnaire.answers import AnswerError, clean, describe
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Question, Value
from portfolio.reassessment import carried

TRIES_WHEN_BUSY = 5
COMMENT_LENGTH = 20_000
REOPENED = "reopened"  # the verb of the audit row that says why a settlement was taken back
Done = TypeVar("Done")
_TURNS = tuple(threading.Lock() for _ in range(64))  # by organisation: its acts wait for each other in the database too


class InvalidAnswerError(ValueError):
    """What cannot be stored: `field` is "value", "comment", "evidence_url", "note" or "choice"; the text says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class _ReplacedError(Exception):
    """The use case was assessed again meanwhile; `successor` is the assessment that came after it."""

    def __init__(self, successor: Assessment) -> None:
        super().__init__(f"assessment {successor.pk} came after it")
        self.successor = successor


class RetiredError(PermissionDenied):
    """The use case was retired meanwhile and is kept as it was; the text is for the person."""


@dataclass(frozen=True)
class Saved:
    """What an act on an answer left behind. `before` is None while there was no recommendation.

    `assessment` is the one it was written to: another than was given where that was replaced meanwhile.
    """

    assessment: Assessment
    answer: Answer | None
    changed: bool
    before: Recommendation | None
    recommendation: Recommendation
    inputs_before: Inputs


@dataclass(frozen=True)
class Given:
    """What somebody answers to one question, as it came."""

    question: Question
    value: Value = None
    dont_know: bool = False
    comment: str = ""
    evidence_url: str = ""


@dataclass(frozen=True)
class _Entry:
    """What one person says in full."""

    value: Value
    dont_know: bool
    comment: str
    evidence_url: str

    @classmethod
    def of(cls, row: Answer | AnswerRevision) -> _Entry:
        return cls(row.value, row.dont_know, row.comment, row.evidence_url)


_NOTHING = _Entry(None, False, "", "")


def save_answer(
    *,
    assessment: Assessment,
    question: Question,
    by: User,
    value: Value = None,
    dont_know: bool = False,
    comment: str = "",
    evidence_url: str = "",
    verb: str = "answered",
) -> Saved:
    """Store what `by` says to `question`, keep what they said before, and bring the recommendation up to date.

    Without value, "don't know yet", comment and link the answer is withdrawn. Saying the same again changes nothing.
    Raises InvalidAnswerError naming the field.
    """
    given = Given(question, value, dont_know, comment, evidence_url)
    return save_answers(assessment=assessment, given=[given], by=by, verb=verb)


def save_answers(*, assessment: Assessment, given: Sequence[Given], by: User, verb: str = "answered") -> Saved:
    """`save_answer` for several questions at once: all or none of them, and one new recommendation.

    `Saved.answer` is the last one's row. Raises InvalidAnswerError for the first that cannot be stored, then none is.
    """

    def save(current: Assessment) -> Saved:
        return _save(current, [_onward(one, assessment, current) for one in given], by, verb)

    return _where_it_counts(assessment, save)


def _save(assessment: Assessment, given: Sequence[Given], by: User, verb: str) -> Saved:
    entries = [(one.question, _entry(one)) for one in given]

    def foresee(inputs: Inputs) -> Inputs:
        for question, entry in entries:
            inputs = _foresee_answer(inputs, question_id=question.id, respondent=by.pk, entry=entry)
        return inputs

    def write(locked: Assessment) -> tuple[Answer | None, bool]:
        written = [_write_answer(locked, question=q, by=by, entry=entry, verb=verb) for q, entry in entries]
        return (written[-1][0] if written else None), any(changed for _, changed in written)

    return _act(assessment=assessment, foresee=foresee, write=write, by=by)


def withdraw_answer(*, assessment: Assessment, question: Question, by: User) -> Saved:
    """Take back what `by` says to `question`; the history keeps it."""
    return save_answer(assessment=assessment, question=question, by=by, verb="withdrew_answer")


def restore_answer(*, revision: AnswerRevision, question: Question, by: User) -> Saved:
    """Say again what an earlier revision of one's own answer said. Raises InvalidAnswerError for somebody else's."""
    answer = revision.answer
    if answer.respondent_id != by.pk:
        raise InvalidAnswerError("value", "only who gave an answer can restore it")
    return save_answer(
        assessment=answer.assessment,
        question=question,
        by=by,
        value=revision.value,
        dont_know=revision.dont_know,
        comment=revision.comment,
        evidence_url=revision.evidence_url,
        verb="restored_answer",
    )


def settle_dispute(
    *,
    assessment: Assessment,
    question: Question,
    by: User,
    value: Value,
    note: str,
    seen: Sequence[Value] | None = None,
) -> Saved:
    """Say which of several answers counts, with a note; None leaves the question open. It stands until a new answer.

    `seen` are the different answers that `by` chose from, if they are to be those given now: otherwise, and for an
    empty note, InvalidAnswerError is raised.
    """
    if not note.strip():
        raise InvalidAnswerError("note", "the note is empty; say in a sentence why this answer counts")
    _checked(question, value, dont_know=False)

    def settle(current: Assessment) -> Saved:
        onward = _onward(Given(question, value), assessment, current)
        asked, checked = onward.question, _checked(onward.question, onward.value, dont_know=False)
        write = partial(_write_settlement, question=asked, by=by, value=checked, note=note.strip(), seen=seen)
        return _act(assessment=current, foresee=lambda i: i.with_settlement(asked.id, checked), write=write, by=by)

    return _where_it_counts(assessment, settle)


def reopen_dispute(*, assessment: Assessment, question: Question, by: User, note: str) -> Saved:
    """Take back the settlement of a question, with a note; its answers count as before. Nothing where none stands."""
    if not note.strip():
        raise InvalidAnswerError("note", "the note is empty; say in a sentence why it is open again")

    def reopen(current: Assessment) -> Saved:
        asked = _onward(Given(question), assessment, current).question
        write = partial(_write_reopening, question=asked, by=by, note=note.strip())
        return _act(assessment=current, foresee=lambda inputs: _unsettled(inputs, asked.id), write=write, by=by)

    return _where_it_counts(assessment, reopen)


def ensure_snapshot(*, assessment: Assessment) -> RecommendationSnapshot:
    """The snapshot of the recommendation for the answers as they stand; written now if there is none yet."""

    def ensure(current: Assessment) -> RecommendationSnapshot:
        _act(assessment=current, foresee=lambda inputs: inputs, write=lambda locked: (None, False))
        return current.recommendations.latest()

    return _where_it_counts(assessment, ensure)


def _where_it_counts(assessment: Assessment, attempt: Callable[[Assessment], Done]) -> Done:
    """`attempt` with this assessment or, where that was replaced meanwhile, with the one that counts now."""
    while True:
        try:
            return attempt(assessment)
        except _ReplacedError as replaced:
            assessment = replaced.successor


def _onward(given: Given, old: Assessment, new: Assessment) -> Given:
    """The same in another assessment's questionnaire. Raises InvalidAnswerError where that no longer asks it."""
    if new.questionnaire_version == old.questionnaire_version:
        return given
    before, after = load(old.questionnaire_version), load(new.questionnaire_version)
    value = _checked(given.question, given.value, given.dont_know)
    word = carried(before, after, given.question.id, value, given.dont_know)
    if word.question_id is None:
        raise InvalidAnswerError(
            "value", "the use case was assessed again meanwhile, by a questionnaire that does not ask this; reload"
        )
    return replace(given, question=after.question(word.question_id), value=word.value)


def _entry(given: Given) -> _Entry:
    comment, evidence_url = given.comment.strip(), given.evidence_url.strip()
    entry = _Entry(_checked(given.question, given.value, given.dont_know), given.dont_know, comment, evidence_url)
    if len(comment) > COMMENT_LENGTH:
        raise InvalidAnswerError(
            "comment", f"the comment has {len(comment):,} characters; at most {COMMENT_LENGTH:,} fit"
        )
    if evidence_url and not evidence_url.startswith(("http://", "https://")):
        raise InvalidAnswerError("evidence_url", f"{evidence_url[:60]!r} does not start with http:// or https://")
    return entry


def _checked(question: Question, value: Value, dont_know: bool) -> Value:
    if value is None:
        return None
    if dont_know:
        raise InvalidAnswerError("value", "give an answer or “don't know yet”, not both")
    try:
        return clean(question, value)
    except AnswerError as error:
        raise InvalidAnswerError("value", str(error)) from error


def _act(
    *,
    assessment: Assessment,
    foresee: Callable[[Inputs], Inputs],
    write: Callable[[Assessment], tuple[Answer | None, bool]],
    by: User | None = None,
) -> Saved:
    """`_act_once`, in turn with the other threads of this process, and again when SQLite was too busy.

    Whoever waits here has not decided yet, so no thread decides in vain what another is about to change. SQLite serves
    its waiting writers in no order: between processes one may starve, hence the tries. Inside a transaction there is no
    turn to take (its lock is held already, and who has the turn may be waiting for it) and no second try.
    """
    if transaction.get_connection().in_atomic_block:
        return _act_once(assessment, foresee, write, by)
    with _TURNS[assessment.use_case.organisation_id % len(_TURNS)]:
        for _ in range(TRIES_WHEN_BUSY - 1):
            try:
                return _act_once(assessment, foresee, write, by)
            except OperationalError as error:
                if "database is locked" not in str(error):
                    raise
        return _act_once(assessment, foresee, write, by)


def _act_once(
    assessment: Assessment,
    foresee: Callable[[Inputs], Inputs],
    write: Callable[[Assessment], tuple[Answer | None, bool]],
    by: User | None,
) -> Saved:
    """Decide on the foreseen inputs, then write under the lock; decide anew there if others wrote meanwhile."""
    inputs = read_inputs(assessment)
    ahead = foresee(inputs)
    decision = decide(ahead)
    with transaction.atomic():
        locked = _lock(assessment)
        if by is not None:
            refuse_retired(locked.use_case)
        if locked.revision != inputs.revision:
            inputs = read_inputs(locked)
            ahead = foresee(inputs)
            decision = decide(ahead)
        saved = _store(locked, write, inputs, ahead, decision)
        if saved.changed and by is not None:
            announce.after_answers(assessment=locked, before=inputs, after=ahead, by=by)
        return saved


def refuse_retired(use_case: UseCase) -> None:
    """For acts that hold the lock: what was retired meanwhile is kept as it was. Raises RetiredError."""
    if use_case.is_retired:
        raise RetiredError("this use case is retired and kept as it was; move it back to “Idea” first")


def _lock(assessment: Assessment) -> Assessment:
    """The assessment as it stands once everybody who writes in its organisation has finished.

    Raises _ReplacedError where one of them has assessed the use case again: nobody would read what is written here.
    """
    audit.lock(assessment.use_case.organisation_id)
    rows = Assessment.objects.select_related("use_case__organisation", "policy", "replaced_by")
    locked = rows.get(pk=assessment.pk)
    if hasattr(locked, "replaced_by"):
        locked.replaced_by.use_case = locked.use_case
        raise _ReplacedError(locked.replaced_by)
    return locked


def _store(
    assessment: Assessment,
    write: Callable[[Assessment], tuple[Answer | None, bool]],
    before_inputs: Inputs,
    inputs: Inputs,
    decision: Decision,
) -> Saved:
    answer, changed = write(assessment)
    latest = assessment.recommendations.order_by("-created_at", "-pk").first()
    if latest is None or latest.answers_sha256 != decision.inputs_sha256:
        RecommendationSnapshot.objects.create(
            assessment=assessment,
            answers=dict(inputs.effective.answers),
            answers_sha256=decision.inputs_sha256,
            result=decision.recommendation.to_dict(),
            target=decision.recommendation.target,
            status=decision.recommendation.status,
            robustness=decision.recommendation.robustness.share,
        )
        FiredRule.objects.remember(assessment.use_case, decision.recommendation)
    if changed:
        Assessment.objects.filter(pk=assessment.pk).update(revision=inputs.revision)
    _repeat_on_use_case(assessment.use_case, decision.recommendation, changed)
    before = latest.recommendation if latest else None
    return Saved(assessment, answer, changed, before, decision.recommendation, before_inputs)


def _repeat_on_use_case(use_case: UseCase, recommendation: Recommendation, changed: bool) -> None:
    """The columns that lists sort and filter by."""
    columns = {
        "target": recommendation.target,
        "status": recommendation.status,
        "robustness": recommendation.robustness.share,
    }
    if changed:
        columns["updated_at"] = timezone.now()
    UseCase.objects.filter(pk=use_case.pk).update(**columns)


def _foresee_answer(inputs: Inputs, *, question_id: str, respondent: int, entry: _Entry) -> Inputs:
    said = next((p for p in inputs.said.get(question_id, ()) if p.respondent == respondent), None)
    before = (said.value, said.dont_know) if said else (None, False)
    if before == (entry.value, entry.dont_know):
        return inputs
    return inputs.with_answer(question_id, respondent, entry.value, entry.dont_know)


def _unsettled(inputs: Inputs, question_id: str) -> Inputs:
    if question_id not in inputs.settled:
        return inputs
    settled = {key: word for key, word in inputs.settled.items() if key != question_id}
    return replace(inputs, revision=inputs.revision + 1, settled=settled)


def _write_answer(
    assessment: Assessment, *, question: Question, by: User, entry: _Entry, verb: str
) -> tuple[Answer | None, bool]:
    """The row, its history and the audit row; nothing when it says the same as before."""
    answer = assessment.answers.filter(question_id=question.id, respondent=by).first()
    before = _Entry.of(answer) if answer else _NOTHING
    if entry == before:
        return answer, False
    now = timezone.now()
    if answer is None:
        answer = Answer(assessment=assessment, question_id=question.id, respondent=by, revision=0)
    answer.value, answer.dont_know = entry.value, entry.dont_know
    answer.comment, answer.evidence_url = entry.comment, entry.evidence_url
    answer.revision += 1
    answer.saved_at = now
    answer.save()
    AnswerRevision.objects.create(
        answer=answer,
        revision=answer.revision,
        value=entry.value,
        dont_know=entry.dont_know,
        comment=entry.comment,
        evidence_url=entry.evidence_url,
        saved_at=now,
    )
    speaks_anew = (before.value, before.dont_know) != (entry.value, entry.dont_know)
    if speaks_anew:
        standing = assessment.settlements.filter(question_id=question.id, superseded_at__isnull=True)
        standing.update(superseded_at=now)
    details = {
        "question": question.text,
        "question_id": question.id,
        "from": said_in_words(question, before.value, before.dont_know),
        "to": said_in_words(question, entry.value, entry.dont_know),
        "revision": answer.revision,
    }
    use_case = assessment.use_case
    audit.record(organisation=use_case.organisation, by=by, verb=verb, target=use_case, details=details)
    return answer, speaks_anew


def _write_settlement(
    assessment: Assessment, *, question: Question, by: User, value: Value, note: str, seen: Sequence[Value] | None
) -> tuple[None, bool]:
    given = assessment.answers.filter(question_id=question.id, value__isnull=False).values_list("value", flat=True)
    if seen is not None and not _are_the_same(seen, list(given)):
        raise InvalidAnswerError("choice", "somebody answered at the same moment; look at the answers and settle again")
    now = timezone.now()
    assessment.settlements.filter(question_id=question.id, superseded_at__isnull=True).update(superseded_at=now)
    Settlement.objects.create(
        assessment=assessment, question_id=question.id, value=value, note=note, settled_by=by, settled_at=now
    )
    use_case = assessment.use_case
    details = {
        "question": question.text,
        "question_id": question.id,
        "answer": settled_in_words(question, value),
        "note": note,
    }
    audit.record(organisation=use_case.organisation, by=by, verb="settled", target=use_case, details=details)
    return None, True


def _are_the_same(some: Sequence[Value], others: Sequence[Value]) -> bool:
    """Whether both hold the same values, however often and in whatever order."""
    return all(value in others for value in some) and all(value in some for value in others)


def _write_reopening(assessment: Assessment, *, question: Question, by: User, note: str) -> tuple[None, bool]:
    """The audit row is the only one that holds the note: the settlement stays as it was written."""
    standing = assessment.settlements.filter(question_id=question.id, superseded_at__isnull=True)
    settlement = standing.first()
    if settlement is None:
        return None, False
    standing.update(superseded_at=timezone.now())
    use_case = assessment.use_case
    details = {
        "question": question.text,
        "question_id": question.id,
        "assessment": assessment.pk,
        "answer": settled_in_words(question, settlement.value),
        "note": note,
    }
    audit.record(organisation=use_case.organisation, by=by, verb=REOPENED, target=use_case, details=details)
    return None, True


def settled_in_words(question: Question, value: Value) -> str:
    """What a settlement says counts."""
    return "leave it open for now" if value is None else said_in_words(question, value, False)


def said_in_words(question: Question, value: Value, dont_know: bool) -> str:
    """An answer as the log and the history say it, cut to a line."""
    text = "don't know yet" if dont_know else describe(question, value)
    return text if len(text) <= 200 else f"{text[:199]}…"
