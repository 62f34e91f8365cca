"""Who may see what of the register: fetching and checking are one act.

An outsider gets 404 – not even that a page exists – and a member who lacks the permission 403. A respondent sees the
questions they were asked to answer and nothing else; a use case they were not asked about does not exist for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from organisations.models import Membership, User
from organisations.permissions import membership_in, require_in
from organisations.roles import Permission, refusal
from portfolio.lifecycle import Stage
from portfolio.models import (
    ActualImport,
    AnswerRequest,
    AnswerRevision,
    Assessment,
    Budget,
    CostScenario,
    EvaluationRun,
    PolicyRun,
    Report,
    TagRule,
    UseCase,
)
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.spec import Question, Questionnaire, Section


class SignedInRequest(HttpRequest):
    """What a view behind `login_required` gets; for the type checker."""

    user: User
    htmx: HtmxDetails


@dataclass(frozen=True)
class SectionAccess:
    """One section of a use case's questionnaire and what this person may do there."""

    use_case: UseCase
    assessment: Assessment
    questionnaire: Questionnaire
    section: Section
    sections: tuple[Section, ...]  # all that this person may open, without the questions they may not see
    membership: Membership
    requests: tuple[AnswerRequest, ...]  # what this person is asked of this assessment and has not declined

    @property
    def may_view(self) -> bool:
        """May see the use case itself: others' answers, the verdict, the costs."""
        return self.membership.allows(Permission.VIEW)

    @property
    def may_answer(self) -> bool:
        """May answer something in this section; `may_answer_question` says what."""
        return any(self.may_answer_question(question) for question in self.section.questions)

    def may_answer_question(self, question: Question) -> bool:
        allowed = self.membership.allows(Permission.ANSWER) or question.id in self.asked_questions
        return allowed and not self.use_case.is_retired

    @cached_property
    def asked_questions(self) -> frozenset[str]:
        """The ids of the questions this person is asked, one by one or with their section; hidden ones among them."""
        questions = self.questionnaire.questions
        return frozenset(q.id for request in self.requests for q in questions if request.covers(q))

    @cached_property
    def asked_by_name(self) -> frozenset[str]:
        """The questions this person is asked one by one: shown to them even where the answers so far hide them."""
        return frozenset(request.question_id for request in self.requests if request.question_id)

    @property
    def why_not(self) -> str:
        """Why this person may not answer, in words; empty where they may."""
        return "" if self.may_answer else self.why_not_question

    @property
    def why_not_question(self) -> str:
        """Why a question that this person may see is not theirs to answer."""
        if self.use_case.is_retired:
            return "This use case is retired. Move it back to “Idea” to answer again."
        return refusal(self.membership.role, Permission.ANSWER)

    @property
    def may_settle(self) -> bool:
        return may_settle(self.use_case, self.membership) and not self.use_case.is_retired

    @property
    def may_edit(self) -> bool:
        return self.membership.allows(Permission.EDIT)

    @property
    def requests_here(self) -> tuple[AnswerRequest, ...]:
        """What this person is asked in this section, the newest first."""
        return tuple(request for request in self.requests if request.section_id == self.section.id)

    def at(self, section_id: str) -> SectionAccess:
        """The same at another section; 404 where this person may not open it."""
        if section_id == self.section.id:
            return self
        for section in self.sections:
            if section.id == section_id:
                return replace(self, section=section)
        raise Http404("no such section")


def get_use_case_for(user: User, pk: int, permission: Permission = Permission.VIEW) -> UseCase:
    """The use case, if `user` holds `permission` in its organisation; else 404 (unseen) or 403 (not allowed)."""
    use_case = UseCase.objects.select_related("organisation", "unit", "owner").filter(pk=pk).first()
    membership = membership_in(user, use_case.organisation_id) if use_case else None
    if use_case is None or membership is None:
        raise Http404("no such use case")
    if not membership.allows(permission):
        if not UseCase.objects.visible_to(membership).filter(pk=pk).exists():
            raise Http404("no such use case")
        raise PermissionDenied(refusal(membership.role, permission))
    return use_case


def get_section_for(user: User, pk: int, section_id: str = "") -> SectionAccess:
    """A section of the questionnaire that `user` may open (the first of theirs when none is named); else 404."""
    use_case = UseCase.objects.select_related("organisation", "unit", "owner").filter(pk=pk).first()
    membership = membership_in(user, use_case.organisation_id) if use_case else None
    if use_case is None or membership is None:
        raise Http404("no such use case")
    assessment = use_case.assessment()
    questionnaire = load(assessment.questionnaire_version)
    requests = tuple(assessment.requests.open().filter(respondent=user).select_related("asked_by"))
    sections = questionnaire.sections
    if not membership.allows(Permission.VIEW):
        sections = _asked_sections(questionnaire, requests)
    if not sections:
        raise Http404("no such use case")
    access = SectionAccess(use_case, assessment, questionnaire, sections[0], sections, membership, requests)
    return access.at(section_id) if section_id else access


def _asked_sections(questionnaire: Questionnaire, requests: tuple[AnswerRequest, ...]) -> tuple[Section, ...]:
    """The sections that something is asked in, with only the questions asked."""
    trimmed = (
        replace(section, questions=tuple(q for q in section.questions if any(r.covers(q) for r in requests)))
        for section in questionnaire.sections
    )
    return tuple(section for section in trimmed if section.questions)


def check_may_answer_some(access: SectionAccess) -> None:
    """403 for who may answer in none of the sections they may open."""
    if not any(access.at(section.id).may_answer for section in access.sections):
        raise PermissionDenied(access.why_not)


def get_question_for(user: User, pk: int, question_id: str) -> tuple[SectionAccess, Question]:
    """A question `user` may answer, with the access to its section; 404 when unseen, 403 when only readable."""
    access, question = get_readable_question_for(user, pk, question_id)
    if not access.may_answer_question(question):
        raise PermissionDenied(access.why_not_question)
    return access, question


def get_readable_question_for(user: User, pk: int, question_id: str) -> tuple[SectionAccess, Question]:
    """A question `user` may see, with the access to its section; else 404."""
    access = get_section_for(user, pk)
    for section in access.sections:
        for question in section.questions:
            if question.id == question_id:
                return access.at(section.id), question
    raise Http404("no such question")


def get_viewed_question_for(user: User, pk: int, question_id: str) -> tuple[SectionAccess, Question]:
    """A question with everybody's answers and where they lead, for who may view the use case; else 404 or 403."""
    access, question = get_readable_question_for(user, pk, question_id)
    if not access.may_view:
        raise PermissionDenied(refusal(access.membership.role, Permission.VIEW))
    return access, question


def get_disputed_question_for(user: User, pk: int, question_id: str) -> tuple[SectionAccess, Question]:
    """A question whose dispute `user` may settle: the use case's owner, and who may edit it."""
    access, question = get_readable_question_for(user, pk, question_id)
    if not access.may_settle:
        raise PermissionDenied("A dispute is settled by the use case's owner or an editor.")
    return access, question


def get_revision_for(
    user: User, pk: int, question_id: str, revision_pk: int
) -> tuple[SectionAccess, Question, AnswerRevision]:
    """An earlier state of one's own answer, for who may answer the question still; else 404 or 403."""
    access, question = get_question_for(user, pk, question_id)
    own = AnswerRevision.objects.filter(
        answer__assessment=access.assessment, answer__question_id=question.id, answer__respondent=user
    )
    revision = own.select_related("answer__assessment").filter(pk=revision_pk).first()
    if revision is None:
        raise Http404("no such revision")
    return access, question, revision


def get_request_for(user: User, pk: int, request_pk: int) -> tuple[UseCase, AnswerRequest]:
    """A standing request of this use case, for who may ask there."""
    use_case = get_use_case_for(user, pk, Permission.EDIT)
    requests = AnswerRequest.objects.standing().filter(assessment__use_case=use_case)
    rows = requests.select_related("respondent", "invitation", "assessment__policy", "assessment__use_case")
    request = rows.filter(pk=request_pk).first()
    if request is None:
        raise Http404("no such request")
    return use_case, request


def get_own_request_for(user: User, request_pk: int) -> AnswerRequest:
    """What `user` was asked and what was not taken back, in an organisation they belong to; else 404."""
    requests = (
        AnswerRequest.objects.standing().filter(respondent=user).exclude(assessment__use_case__stage=Stage.RETIRED)
    )
    request = requests.select_related("asked_by", "assessment__use_case").filter(pk=request_pk).first()
    if request is None or membership_in(user, request.assessment.use_case.organisation_id) is None:
        raise Http404("no such request")
    return request


def get_report_for(user: User, pk: int, report_pk: int, permission: Permission = Permission.VIEW) -> Report:
    """A report of this use case, for who holds `permission` there."""
    use_case = get_use_case_for(user, pk, permission)
    report = use_case.reports.select_related("use_case__organisation").filter(pk=report_pk).first()
    if report is None:
        raise Http404("no such report")
    return report


def get_policy_trial_for(user: User, run_pk: int, permission: Permission = Permission.VIEW) -> PolicyRun:
    """A trial of the policy, for who holds `permission` in its organisation; else 404 or 403."""
    run = PolicyRun.objects.select_related("organisation", "requested_by").filter(pk=run_pk, kind="trial").first()
    if run is None:
        raise Http404("no such trial")
    require_in(user, run.organisation_id, permission)
    return run


def get_reassessment_for(user: User, run_pk: int, permission: Permission = Permission.VIEW) -> PolicyRun:
    """A job that assesses many use cases again, for who holds `permission` in its organisation; else 404 or 403."""
    run = PolicyRun.objects.select_related("organisation", "requested_by").filter(pk=run_pk, kind="apply").first()
    if run is None:
        raise Http404("no such run")
    require_in(user, run.organisation_id, permission)
    return run


def get_assessment_for(user: User, pk: int, assessment_pk: int) -> tuple[UseCase, Assessment]:
    """One of a use case's assessments, also an earlier one, for who may view the use case."""
    use_case = get_use_case_for(user, pk)
    assessment = use_case.assessments.select_related("policy").filter(pk=assessment_pk).first()
    if assessment is None:
        raise Http404("no such assessment")
    return use_case, assessment


def membership_of(user: User, use_case: UseCase) -> Membership:
    """The membership that let `user` see `use_case`; 404 if it ended meanwhile."""
    membership = membership_in(user, use_case.organisation_id)
    if membership is None:
        raise Http404("no such use case")
    return membership


def may_settle(use_case: UseCase, membership: Membership) -> bool:
    """Editors, and the use case's owner whatever their role (except one who may not even view it)."""
    owns = use_case.owner_id == membership.user_id and membership.allows(Permission.VIEW)
    return owns or membership.allows(Permission.EDIT)


def get_evaluation_run_for(user: User, pk: int, run_pk: int, permission: Permission = Permission.VIEW) -> EvaluationRun:
    """A run of this use case without the bytes of its file, for who holds `permission` there; else 404 or 403."""
    use_case = get_use_case_for(user, pk, permission)
    runs = EvaluationRun.objects.for_list(use_case).select_related("attachment").defer("attachment__content")
    run = runs.filter(pk=run_pk).first()
    if run is None:
        raise Http404("no such run")
    run.use_case = use_case
    return run


def may_withdraw_run(run: EvaluationRun, membership: Membership) -> bool:
    """Who recorded it, and who may edit the use case."""
    recorded = run.recorded_by_id == membership.user_id and membership.allows(Permission.ANSWER)
    return recorded or membership.allows(Permission.EDIT)


def get_budget_for(user: User, budget_pk: int, permission: Permission = Permission.VIEW) -> Budget:
    """A budget, for who holds `permission` in its organisation; else 404 or 403."""
    rows = Budget.objects.select_related("organisation", "unit", "use_case", "set_by")
    budget = rows.filter(pk=budget_pk).first()
    if budget is None:
        raise Http404("no such budget")
    require_in(user, budget.organisation_id, permission)
    return budget


def get_cost_scenario_for(
    user: User, pk: int, scenario_pk: int, permission: Permission = Permission.VIEW
) -> tuple[UseCase, CostScenario]:
    """A what-if of this use case, also a removed one, for who holds `permission` there; else 404 or 403."""
    use_case = get_use_case_for(user, pk, permission)
    rows = CostScenario.objects.filter(use_case=use_case, is_base=False).select_related("current")
    scenario = rows.filter(pk=scenario_pk).first()
    if scenario is None:
        raise Http404("no such scenario")
    scenario.use_case = use_case
    return use_case, scenario


def get_actual_import_for(user: User, import_pk: int, permission: Permission = Permission.VIEW) -> ActualImport:
    """An imported bill or usage export, for who holds `permission` in its organisation; else 404 or 403."""
    source = (
        ActualImport.objects.select_related("organisation", "uploaded_by", "decided_by").filter(pk=import_pk).first()
    )
    if source is None:
        raise Http404("no such import")
    require_in(user, source.organisation_id, permission)
    return source


def get_tag_rule_for(user: User, rule_pk: int, permission: Permission = Permission.EDIT) -> TagRule:
    """A rule that says whose a tag is, for who holds `permission` in its organisation; else 404 or 403."""
    rule = TagRule.objects.select_related("use_case").filter(pk=rule_pk).first()
    if rule is None:
        raise Http404("no such rule")
    require_in(user, rule.organisation_id, permission)
    return rule
