"""Asking people for answers, and what a person was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from organisations.actions import IssuedInvitation, Refused, mail_invitation
from organisations.models import Membership
from organisations.permissions import current_membership
from organisations.roles import Permission, Role
from portfolio import actions
from portfolio.asked import Fulfilment, Part, by_when, fulfilments, in_words, parts_path, shortened
from portfolio.forms.fields import sent
from portfolio.forms.requests import AskForm, DeclineForm, DueForm
from portfolio.models import AnswerRequest, Assessment, UseCase
from portfolio.permissions import SignedInRequest, get_own_request_for, get_request_for, get_use_case_for
from portfolio.questionnaire.loading import load

LONGEST_LIST = 200
SHOWN_ON_USE_CASE = 6
STATES = {  # word → what it is called, and its tone
    "open": ("open", ""),
    "due": ("due soon", ""),
    "overdue": ("overdue", "warn"),
    "done": ("answered", "good"),
    "idle": ("nothing to answer now", ""),
    "declined": ("declined", "bad"),
    "waiting": ("invited, not joined yet", ""),
    "lapsed": ("invitation expired", "warn"),
    "revoked": ("invitation revoked", "warn"),
    "left": ("no longer a member", "warn"),
}
ORDER = ("overdue", "due", "open", "idle", "done", "declined")  # of the inbox


@dataclass(frozen=True)
class Row:
    """One request as a page shows it."""

    request: AnswerRequest
    how_far: Fulfilment
    state: str  # a key of STATES

    @property
    def part(self) -> Part:
        return self.how_far.part

    @property
    def who(self) -> str:
        invitation = self.request.invitation
        return str(self.request.respondent or (invitation.email if invitation else ""))

    @property
    def label(self) -> str:
        return STATES[self.state][0]

    @property
    def tone(self) -> str:
        return STATES[self.state][1]

    @property
    def path(self) -> str:
        return parts_path(self.request.assessment.use_case_id, [self.part])

    @property
    def is_waiting(self) -> bool:
        return self.request.respondent_id is None

    @property
    def may_be_reminded(self) -> bool:
        spoken_of = max(self.request.asked_at, self.request.reminded_at or self.request.asked_at)
        return self.state in ("open", "due", "overdue") and timezone.now() - spoken_of >= actions.PEACE

    @property
    def may_have_a_new_link(self) -> bool:
        invitation = self.request.invitation
        return self.state in ("waiting", "lapsed") and invitation is not None and invitation.role == Role.RESPONDENT


@login_required
@require_GET
def requests(request: SignedInRequest) -> HttpResponse:
    """What the signed-in person was asked in the current organisation; the first page of a respondent."""
    return _inbox(request)


@login_required
@require_POST
def request_decline(request: SignedInRequest, request_pk: int) -> HttpResponse:
    asked = get_own_request_for(request.user, request_pk)
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return _inbox(request, form, asked)
    try:
        actions.decline(request=asked, by=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, f"Declined. {asked.asked_by or 'The owner of the use case'} is told why.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("requests")


@login_required
@require_POST
def request_take_up(request: SignedInRequest, request_pk: int) -> HttpResponse:
    asked = get_own_request_for(request.user, request_pk)
    try:
        actions.take_up(request=asked, by=request.user)
        messages.success(request, "It is yours again.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("requests")


@login_required
@require_http_methods(["GET", "POST"])
def ask(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for sections and questions, of members and of addresses; below, what has been asked."""
    use_case = get_use_case_for(request.user, pk, Permission.EDIT)
    assessment = use_case.assessment()
    form = _ask_form(request, use_case, assessment)
    if use_case.is_retired and request.method == "GET":
        messages.error(request, "This use case is retired. Move it back to “Idea” to ask for answers again.")
        return redirect("use-case", pk=pk)
    if request.method == "POST" and form.is_valid():
        try:
            asked = actions.ask(assessment=assessment, by=request.user, **form.cleaned_data)
            return _asked(request, use_case, asked, form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field, str(refused))
    rows = rows_of(use_case, assessment)
    context = {
        "use_case": use_case,
        "form": form,
        "rows": rows,
        "remindable": sum(row.may_be_reminded for row in rows),
        "today": timezone.localdate(),
    }
    return render(request, "portfolio/ask.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def request_withdraw(request: SignedInRequest, pk: int, request_pk: int) -> HttpResponse:
    use_case, asked = get_request_for(request.user, pk, request_pk)
    actions.withdraw_request(request=asked, by=request.user)
    messages.success(request, f"{_name(asked)} is no longer asked. What they answered stays.")
    return redirect("ask", pk=use_case.pk)


@login_required
@require_POST
def request_remind(request: SignedInRequest, pk: int, request_pk: int) -> HttpResponse:
    use_case, asked = get_request_for(request.user, pk, request_pk)
    return _remind(request, use_case, [asked])


@login_required
@require_POST
def requests_remind(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remind everybody whose answers are missing."""
    use_case = get_use_case_for(request.user, pk, Permission.EDIT)
    return _remind(request, use_case, list(_standing(use_case.assessment())))


@login_required
@require_POST
def request_link(request: SignedInRequest, pk: int, request_pk: int) -> HttpResponse:
    """A new link for an address that has not joined yet."""
    use_case, asked = get_request_for(request.user, pk, request_pk)
    try:
        issued = actions.renew_link(request=asked, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("ask", pk=use_case.pk)
    part = fulfilments([asked])[asked.pk].part
    return _links(request, use_case, [issued], _why(use_case, [part], asked.message, asked.due_on))


@login_required
@require_POST
def request_due(request: SignedInRequest, pk: int, request_pk: int) -> HttpResponse:
    use_case, asked = get_request_for(request.user, pk, request_pk)
    form = DueForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(str(form.errors["due_on"][0]))
        actions.change_due_date(request=asked, by=request.user, due_on=form.cleaned_data["due_on"])
        messages.success(
            request, f"{_name(asked)} is asked{by_when(form.cleaned_data['due_on']) or ' without a date'}."
        )
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("ask", pk=use_case.pk)


def rows_of(use_case: UseCase, assessment: Assessment) -> list[Row]:
    """What is asked of whom here and how it stands, what needs a look first. Four queries, however much it is."""
    found = list(_standing(assessment)[:LONGEST_LIST])
    how_far = fulfilments(found)
    members = Membership.objects.active().filter(organisation=use_case.organisation_id, user__is_active=True)
    people = set(members.values_list("user_id", flat=True)) if found else set()
    rows = [Row(r, how_far[r.pk], _state(r, how_far[r.pk], people)) for r in found]
    return sorted(rows, key=lambda row: row.state == "done")


def asked_of_colleagues(use_case: UseCase, assessment: Assessment) -> dict[str, Any]:
    """For the use case's own page: the same, and how much of it is answered and overdue."""
    rows = rows_of(use_case, assessment)
    done, overdue = (sum(row.state == state for row in rows) for state in ("done", "overdue"))
    return {"asked": rows, "asked_done": done, "asked_overdue": overdue}


def _standing(assessment: Assessment) -> Any:
    rows = assessment.requests.standing().order_by(F("due_on").asc(nulls_last=True), "asked_at", "pk")
    return rows.select_related(
        "respondent", "asked_by", "invitation", "assessment__policy", "assessment__use_case__organisation"
    )


def _state(request: AnswerRequest, how_far: Fulfilment, members: set[int]) -> str:
    invitation = request.invitation
    if request.respondent_id is None and invitation is not None:
        return "revoked" if invitation.revoked_at else "waiting" if invitation.is_open() else "lapsed"
    if request.declined_at:
        return "declined"
    if how_far.is_done:
        return "done"
    if request.respondent_id not in members:
        return "left"
    return _how_urgent(request, how_far)


def _how_urgent(request: AnswerRequest, how_far: Fulfilment) -> str:
    if not how_far.questions:
        return "idle"
    if request.is_overdue:
        return "overdue"
    return "due" if request.due_on and (request.due_on - timezone.localdate()).days <= 1 else "open"


def _inbox(
    request: SignedInRequest, decline_form: DeclineForm | None = None, declining: AnswerRequest | None = None
) -> HttpResponse:
    membership = current_membership(request)
    asked = AnswerRequest.objects.standing().asked_of(membership)
    found = list(asked.order_by(F("due_on").asc(nulls_last=True), "-asked_at", "-pk")[:LONGEST_LIST])
    how_far = fulfilments(found)
    rows = []
    for one in found:
        far = how_far[one.pk]
        rows.append(Row(one, far, "declined" if one.declined_at else "done" if far.is_done else _how_urgent(one, far)))
    rows.sort(key=lambda row: ORDER.index(row.state))
    context = {
        "rows": rows,
        "waiting": sum(row.state in ("overdue", "due", "open") for row in rows),
        "overdue": sum(row.state == "overdue" for row in rows),
        "decline_form": decline_form,
        "declining": declining,
    }
    return render(request, "portfolio/requests.html", context, status=422 if decline_form else 200)


def _ask_form(request: SignedInRequest, use_case: UseCase, assessment: Assessment) -> AskForm:
    """With the section or question that the address names chosen already."""
    named = [f"{kind}:{key}" for kind in ("section", "question") for key in request.GET.getlist(kind)]
    return AskForm(
        sent(request),
        organisation=use_case.organisation,
        questionnaire=load(assessment.questionnaire_version),
        by=request.user,
        initial={"parts": named},
    )


def _asked(request: SignedInRequest, use_case: UseCase, asked: actions.Asked, given: dict[str, Any]) -> HttpResponse:
    """After asking: what happened with whom, and the links that no mail could carry."""
    if asked.people:
        who = ", ".join(str(person) for person in asked.people[:5])
        more = f" and {len(asked.people) - 5} more" if len(asked.people) > 5 else ""
        are = "was" if len(asked.people) == 1 else "were"
        messages.success(request, f"{who}{more} {are} asked to answer {in_words(given['parts'])}.")
    for invitation in asked.waiting:
        state = "has a link already" if invitation.is_open() else "was invited, but the link has expired; ask an owner"
        messages.info(request, f"{invitation.email} {state}. What you ask waits for them.")
    why = _why(use_case, given["parts"], given["message"], given["due_on"])
    return _links(request, use_case, asked.issued, why)


def _links(request: SignedInRequest, use_case: UseCase, issued: Sequence[IssuedInvitation], why: str) -> HttpResponse:
    """Mail the links; those that no mail could carry are shown this once, as nothing keeps them."""
    left = []
    for one in issued:
        link = request.build_absolute_uri(reverse("invitation-accept", args=[one.token]))
        if mail_invitation(invitation=one.invitation, link=link, why=why):
            messages.success(request, f"{one.invitation.email} was invited by mail.")
        else:
            left.append((one.invitation, link))
    if not left:
        return redirect("ask", pk=use_case.pk)
    response = render(request, "portfolio/request_links.html", {"use_case": use_case, "links": left, "why": why})
    response["Cache-Control"] = "no-store"
    return response


def _why(use_case: UseCase, parts: Sequence[Part], message: str, due_on: Any) -> str:
    """What an invited person reads about what they are asked."""
    said = f"\n\n“{message}”" if message else ""
    return f"You are asked to answer {in_words(parts)} of “{shortened(use_case.title)}”{by_when(due_on)}.{said}"


def _remind(request: SignedInRequest, use_case: UseCase, asked: Sequence[AnswerRequest]) -> HttpResponse:
    try:
        reminded = actions.remind(requests=asked, by=request.user)
        names = list(dict.fromkeys(_name(one) for one in reminded))
        are = "was" if len(names) == 1 else "were"
        messages.success(request, f"{', '.join(names)} {are} reminded.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("ask", pk=use_case.pk)


def _name(asked: AnswerRequest) -> str:
    return str(asked.respondent or (asked.invitation.email if asked.invitation else "The person"))
