"""What people are asked and how far they are; what was asked of an address becomes its owner's.

A request is done when the person asked has said something ("don't know yet" counts) to every question of it that
matters for the answers so far. Other people's answers do not count: somebody wanted to hear this person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format

from organisations import audit
from organisations.models import Membership, User
from organisations.notices import tell
from portfolio.decision import Inputs, inputs_of, tuning_was_in_play
from portfolio.models import Answer, AnswerRequest, Settlement, UseCase
from portfolio.questionnaire.flow import visible_questions
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.spec import Question, Questionnaire, Section
from portfolio.questionnaire.wording import listed

TITLE_LENGTH = 90  # of a question or a use case inside a sentence
PARTS_NAMED = 3  # in a sentence; the others are counted


@dataclass(frozen=True)
class Part:
    """What can be asked of somebody: a whole section, or one of its questions."""

    section: Section
    question: Question | None = None

    @property
    def key(self) -> tuple[str, str]:
        """As `AnswerRequest` stores it: section and question, "" for the whole section."""
        return self.section.id, self.question.id if self.question else ""

    @property
    def title(self) -> str:
        return self.question.text if self.question else self.section.title


@dataclass(frozen=True)
class Fulfilment:
    """How far one request is."""

    part: Part
    questions: tuple[Question, ...]  # of the request, those that matter now or were asked by name
    answered: int  # of them, by the person asked

    @property
    def asked(self) -> int:
        return len(self.questions)

    @property
    def is_done(self) -> bool:
        return bool(self.questions) and self.answered == self.asked


def part_of(request: AnswerRequest, questionnaire: Questionnaire) -> Part:
    section = next(section for section in questionnaire.sections if section.id == request.section_id)
    return Part(section, questionnaire.question(request.question_id) if request.question_id else None)


def fulfilments(requests: Sequence[AnswerRequest]) -> dict[int, Fulfilment]:
    """Each request's key → how far it is. Two queries for all, where the requests hold their assessment and policy."""
    assessments = {request.assessment_id: request.assessment for request in requests}
    answers: dict[int, list[Answer]] = defaultdict(list)
    for answer in Answer.objects.filter(assessment__in=assessments) if assessments else ():
        answers[answer.assessment_id].append(answer)
    settled: dict[int, dict[str, Any]] = defaultdict(dict)
    standing = Settlement.objects.filter(assessment__in=assessments, superseded_at__isnull=True)
    for key, question_id, value in standing.values_list("assessment_id", "question_id", "value") if assessments else ():
        settled[key][question_id] = value
    inputs = {key: inputs_of(row, row.revision, answers[key], settled[key]) for key, row in assessments.items()}
    visible = {key: visible_ids(found) for key, found in inputs.items()}
    return {r.pk: fulfilment(r, inputs[r.assessment_id], visible[r.assessment_id]) for r in requests}


def fulfilment(request: AnswerRequest, inputs: Inputs, visible: Collection[str]) -> Fulfilment:
    """How far the request is with these inputs, of which `visible` are the ids of the questions that matter."""
    questionnaire = load(inputs.version)
    part = part_of(request, questionnaire)
    covered = (part.question,) if part.question else part.section.questions
    asked = tuple(q for q in covered if q is part.question or (q.id in visible and not q.optional))
    person = request.respondent_id
    said = [q for q in asked if any(p.respondent == person for p in inputs.said.get(q.id, ()))]
    return Fulfilment(part, asked, len(said))


def visible_ids(inputs: Inputs) -> frozenset[str]:
    """The questions that matter for these inputs."""
    answers, disputed, _ = inputs.effective
    tuning = tuning_was_in_play(inputs)
    found = visible_questions(load(inputs.version), answers, tuning_in_play=tuning, disputed=disputed)
    return frozenset(question.id for question in found)


def in_words(parts: Sequence[Part]) -> str:
    """ "“Knowledge”", "“Knowledge” and “How many users?”", "“A”, “B”, “C” and 4 more" """
    named = [f"“{shortened(part.title)}”" for part in parts[:PARTS_NAMED]]
    if more := len(parts) - len(named):
        named.append(f"{more} more")
    return listed(named)


def shortened(text: str, limit: int = TITLE_LENGTH) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def by_when(due_on: date | None) -> str:
    """ " by 3 December", with the year where it is another one; empty without a date."""
    if due_on is None:
        return ""
    return f" by {date_format(due_on, 'j F' if due_on.year == timezone.localdate().year else 'j F Y')}"


def inbox_path(request_pk: int) -> str:
    """Where the person asked finds the request."""
    return f"{reverse('requests')}#request-{request_pk}"


def asker_path(use_case_pk: int, request_pk: int) -> str:
    """Where who asked finds the request."""
    return f"{reverse('ask', args=[use_case_pk])}#request-{request_pk}"


def parts_path(use_case_pk: int, parts: Sequence[Part]) -> str:
    """Where one part is answered; with several, the list of what was asked."""
    if len(parts) > 1:
        return reverse("requests")
    section, question = parts[0].key
    return reverse("questionnaire", args=[use_case_pk, section]) + (f"#q-{question}" if question else "")


def tell_asked(
    people: Iterable[User | int],
    use_case: UseCase,
    parts: Sequence[Part],
    *,
    by: User | None,
    due_on: date | None,
    message: str = "",
) -> None:
    """The notice of a request."""
    said = f" “{message}”" if message else ""
    title = shortened(use_case.title)
    text = f"{by or 'A colleague'} asks you to answer {in_words(parts)} of “{title}”{by_when(due_on)}.{said}"
    path = parts_path(use_case.pk, parts)
    tell(people, use_case.organisation, kind="asked", text=text, path=path, but=by)


@transaction.atomic
def adopt(*, membership: Membership) -> int:
    """What an invited address was asked becomes the member's who has that address; how many requests."""
    audit.lock(membership.organisation_id)
    waiting = AnswerRequest.objects.waiting(membership.organisation_id).filter(
        invitation__email__iexact=membership.user.email
    )
    told: dict[tuple[int, int | None, date | None, str], list[AnswerRequest]] = defaultdict(list)
    for request in waiting.select_related("assessment__use_case__organisation", "asked_by").order_by("pk"):
        if _hand_over(request, membership.user):
            told[(request.assessment_id, request.asked_by_id, request.due_on, request.message)].append(request)
    for (_, _, due_on, message), requests in told.items():
        assessment = requests[0].assessment
        parts = [part_of(request, load(assessment.questionnaire_version)) for request in requests]
        by = requests[0].asked_by
        tell_asked([membership.user], assessment.use_case, parts, by=by, due_on=due_on, message=message)
    return sum(len(requests) for requests in told.values())


def take_over(*, membership: Membership, **_: Any) -> None:
    """Somebody joined: what their address was asked is theirs."""
    adopt(membership=membership)


def adopt_all() -> int:
    """`adopt` for everybody who became a member without the invitation that their requests hang on."""
    theirs = Membership.objects.active().filter(
        organisation=OuterRef("assessment__use_case__organisation"), user__email=OuterRef("invitation__email")
    )
    found = AnswerRequest.objects.waiting().filter(Exists(theirs))
    pairs = found.values_list("assessment__use_case__organisation_id", "invitation__email").distinct()
    members = [
        Membership.objects.active().select_related("user").get(organisation_id=organisation, user__email=email)
        for organisation, email in pairs.order_by()
    ]
    return sum(adopt(membership=member) for member in members)


def _hand_over(request: AnswerRequest, person: User) -> bool:
    """Make a waiting request the person's. One they have for the same already stays instead; False then."""
    same = AnswerRequest.objects.filter(
        assessment=request.assessment_id,
        section_id=request.section_id,
        question_id=request.question_id,
        respondent=person,
    )
    if same.open().exists():
        request.withdrawn_at = timezone.now()
        request.save(update_fields=["withdrawn_at"])
        return False
    same.delete()  # withdrawn or declined before; what became of it is in the audit log
    request.respondent = person
    request.save(update_fields=["respondent"])
    return True
