"""Who is told what an act on answers brought: a new disagreement, a settlement, a request that is done."""

from __future__ import annotations

from django.urls import reverse

from organisations.models import Membership, User
from organisations.notices import is_told, tell
from organisations.roles import Permission
from portfolio.asked import asker_path, fulfilment, shortened, visible_ids
from portfolio.decision import Inputs
from portfolio.models import Assessment
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.spec import Question

SAID_LENGTH = 80


def after_answers(*, assessment: Assessment, before: Inputs, after: Inputs, by: User) -> None:
    """Tell of what differs between `before` and `after`. Call it in the act's transaction; mostly one query."""
    questionnaire = load(after.version)
    questions = {question.id: question for question in questionnaire.questions}
    for key in after.effective.disputed.keys() - before.effective.disputed.keys():
        _tell_owner(assessment, questions[key], after, by)
    for key, value in after.settled.items():
        if key not in before.settled or before.settled[key] != value:
            _tell_respondents(assessment, questions[key], after, by)
    _tell_askers(assessment, after, by)


def _tell_owner(assessment: Assessment, question: Question, after: Inputs, by: User) -> None:
    """The use case's owner settles disputes. While they have not read of this one, they are not told again."""
    use_case, path = assessment.use_case, _card(assessment, question)
    if use_case.owner_id == by.pk or is_told(use_case.owner_id, kind="disputed", path=path, unread=True):
        return
    sides = " against ".join(f"“{_said(question, v)}”" for v in after.effective.disputed[question.id])
    text = f"{by} sees “{shortened(question.text)}” of “{shortened(use_case.title)}” differently: {sides}."
    tell([use_case.owner_id], use_case.organisation, kind="disputed", text=text, path=path, but=by)


def _tell_respondents(assessment: Assessment, question: Question, after: Inputs, by: User) -> None:
    """Who answered hears what counts; who may not see what others say, only that it is settled.

    A respondent may no longer be able to open the question.
    """
    use_case, value = assessment.use_case, after.settled[question.id]
    outcome = "it stays open for now" if value is None else f"“{_said(question, value)}” counts"
    text = f"{by} settled “{shortened(question.text)}” of “{shortened(use_case.title)}”"
    people = [said.respondent for said in after.said.get(question.id, ())]
    members = Membership.objects.active().filter(organisation=use_case.organisation_id, user__in=people)
    viewing = [member.user_id for member in members if member.allows(Permission.VIEW)]
    others = [person for person in people if person not in viewing]
    tells = f"{text}: {outcome}."
    tell(viewing, use_case.organisation, kind="settled", text=tells, path=_card(assessment, question), but=by)
    tell(others, use_case.organisation, kind="settled", text=f"{text}.", path=reverse("requests"), but=by)


def _tell_askers(assessment: Assessment, after: Inputs, by: User) -> None:
    """Who asked hears, once, that all of it is answered."""
    requests = list(assessment.requests.open().filter(respondent=by))
    visible = visible_ids(after) if requests else frozenset()
    use_case = assessment.use_case
    for request in requests:
        found = fulfilment(request, after, visible)
        asker = request.asked_by_id or use_case.owner_id
        path = asker_path(use_case.pk, request.pk)
        if found.is_done and not is_told(asker, kind="answered", path=path, since=request.asked_at):
            what = f"“{shortened(found.part.title)}” of “{shortened(use_case.title)}”"
            text = f"{by} has answered {what}."
            tell([asker], use_case.organisation, kind="answered", text=text, path=path, but=by)


def _card(assessment: Assessment, question: Question) -> str:
    return reverse("questionnaire", args=[assessment.use_case_id, question.section]) + f"#q-{question.id}"


def _said(question: Question, value: object) -> str:
    return shortened(describe(question, value), SAID_LENGTH)
