"""Pages: members, units, settings, the activity log, and how people come in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timesince import timesince
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organisations import actions, audit, currency
from organisations.actions import IssuedInvitation, Refused
from organisations.forms import (
    AcceptForm,
    ActivityFilterForm,
    InviteForm,
    OrganisationForm,
    RoleForm,
    SwitchForm,
    UnitForm,
)
from organisations.models import AuditEvent, BusinessUnit, Invitation, Membership, MembershipQuerySet, Notice, User
from organisations.notices import KIND_LABELS, choose_mail, mark_all_read, mark_read
from organisations.permissions import (
    SESSION_KEY,
    Standing,
    current_membership,
    get_invitation_for,
    get_member_for,
    get_notice_for,
    get_unit_for,
    invitation_by_token,
    memberships_of,
    require,
)
from organisations.roles import Permission, Role, label

Row = TypeVar("Row", bound=Model)
PAGE_SIZE = 50
DETAIL_LENGTH, LONGEST_TEXT = 2_000, 100_000  # characters of one detail: among many events, and where one is shown
UNPROCESSABLE = 422  # the form came back with errors
form_page = require_http_methods(["GET", "HEAD", "POST"])
STANDING_STATUS = {
    Standing.UNKNOWN: 404,
    Standing.ACCEPTED: 410,
    Standing.REVOKED: 410,
    Standing.EXPIRED: 410,
    Standing.OTHER_ACCOUNT: 403,
}


@form_page
@login_required
def members(request: HttpRequest) -> HttpResponse:
    """Who belongs to the organisation; owners invite, change roles and remove."""
    membership = require(request, _needed(request))
    form = InviteForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            issued = actions.invite(organisation=membership.organisation, by=membership.user, **form.cleaned_data)
            return _invitation_page(request, issued)
        except Refused as refused:
            form.add_error(refused.field, str(refused))
    everybody = Membership.objects.active().filter(organisation=membership.organisation)
    words = request.GET.get("q", "").replace("\x00", "").strip()  # PostgreSQL takes no NUL
    context = {
        "form": form,
        "q": words,
        "page": _page(
            request, everybody.named(words).select_related("user").order_by("user__name", "user__email", "pk")
        ),
        "invitations": _invitations_of(membership),
        "role_counts": _role_counts(everybody),
    }
    return render(request, "organisations/members.html", context, status=_status(form))


@form_page
@login_required
def member_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a member another role."""
    member = get_member_for(_person(request), pk)
    form = RoleForm(_posted(request), initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_role(membership=member, by=_person(request), role=form.cleaned_data["role"])
            messages.success(request, f"{member.user} is now {label(form.cleaned_data['role'])}.")
            return redirect("home" if member.user_id == request.user.pk else "members")
        except Refused as refused:
            form.add_error(refused.field, str(refused))
    return render(request, "organisations/member_role.html", {"form": form, "member": member}, status=_status(form))


@form_page
@login_required
def member_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then end a membership."""
    member = get_member_for(_person(request), pk)
    if request.method == "POST":
        try:
            actions.remove_member(membership=member, by=_person(request))
            messages.success(request, f"{member.user} was removed from {member.organisation}.")
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect("members")
        return redirect("home" if member.user_id == request.user.pk else "members")
    return render(request, "organisations/member_remove.html", {"member": member})


@require_POST
@login_required
def invitation_renew(request: HttpRequest, pk: int) -> HttpResponse:
    """A new link in place of a lost or expired one."""
    invitation = get_invitation_for(_person(request), pk)
    try:
        return _invitation_page(request, actions.renew_invitation(invitation=invitation, by=_person(request)))
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("members")


@require_POST
@login_required
def invitation_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_invitation_for(_person(request), pk)
    try:
        actions.revoke_invitation(invitation=invitation, by=_person(request))
        messages.success(request, f"The invitation of {invitation.email} is revoked; its link no longer works.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("members")


@never_cache
@form_page
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    """What the link of an invitation opens: join, sign in first, or why it cannot be used."""
    invitation, standing = invitation_by_token(request.user, token)
    form = AcceptForm(_posted(request), email=invitation.email if invitation else "")
    problem = ""
    if request.method == "POST" and invitation and (standing == Standing.CONFIRM or _is_complete(form, standing)):
        try:
            return _joined(request, invitation, form)
        except Refused as refused:
            problem = str(refused)
            invitation, standing = invitation_by_token(request.user, token)
    context = {"invitation": invitation, "standing": standing.value, "form": form, "problem": problem}
    status = STANDING_STATUS.get(standing) or (409 if problem else _status(form))
    return render(request, "organisations/invitation_accept.html", context, status=status)


@require_safe
@login_required
def notices(request: HttpRequest) -> HttpResponse:
    """What the member should know, the newest first, and whether it is mailed too."""
    membership = current_membership(request)
    mine = Notice.objects.of(membership)
    page = _page(request, mine)
    context = {
        "page": page,
        "rows": [(row, KIND_LABELS.get(row.kind, row.kind), _ago(row.created_at)) for row in page],
        "mails_leave": not membership.organisation.is_demo,
    }
    return render(request, "organisations/notices.html", context)


@never_cache
@require_safe
@login_required
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a notice leads, in the organisation it belongs to; it is read from now on."""
    found, membership = get_notice_for(_person(request), pk)
    mark_read([found.pk], membership)
    request.session[SESSION_KEY] = membership.organisation_id
    return redirect(found.path or "notices")


@require_POST
@login_required
def notices_read(request: HttpRequest) -> HttpResponse:
    """The one named, or all of the organisation's, are read."""
    membership = current_membership(request)
    one = request.POST.get("notice", "")
    if one:
        read = mark_read([int(one)] if one.isascii() and one.isdigit() and len(one) < 18 else [], membership)
    else:
        read = mark_all_read(membership)
    messages.success(request, "Marked as read." if read else "There was nothing left to mark as read.")
    return redirect("notices")


@require_POST
@login_required
def notices_mail(request: HttpRequest) -> HttpResponse:
    """Whether the member's notices of this organisation are mailed."""
    membership = current_membership(request)
    wanted = "wants_mail" in request.POST
    choose_mail(membership, wanted=wanted)
    if wanted:
        messages.success(request, f"Notices of {membership.organisation} are mailed to {membership.user.email}.")
    else:
        messages.success(request, f"Notices of {membership.organisation} are no longer mailed. They still appear here.")
    return redirect("notices")


@form_page
@login_required
def units(request: HttpRequest) -> HttpResponse:
    """The business units use cases belong to; owners add, rename and remove."""
    membership = require(request, _needed(request))
    form = UnitForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            unit = actions.add_unit(organisation=membership.organisation, by=membership.user, **form.cleaned_data)
            messages.success(request, f"{unit.name} is added.")
            return redirect("units")
        except Refused as refused:
            form.add_error(refused.field, str(refused))
    page = _page(request, BusinessUnit.objects.filter(organisation=membership.organisation).order_by("name", "pk"))
    return render(request, "organisations/units.html", {"form": form, "page": page}, status=_status(form))


@form_page
@login_required
def unit_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a unit or change its cost centre."""
    unit = get_unit_for(_person(request), pk)
    form = UnitForm(_posted(request), initial={"name": unit.name, "cost_centre": unit.cost_centre})
    if request.method == "POST" and form.is_valid():
        try:
            unit = actions.rename_unit(unit=unit, by=_person(request), **form.cleaned_data)
            messages.success(request, f"{unit.name} is saved.")
            return redirect("units")
        except Refused as refused:
            form.add_error(refused.field, str(refused))
    return render(request, "organisations/unit_edit.html", {"form": form, "unit": unit}, status=_status(form))


@form_page
@login_required
def unit_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete a unit."""
    unit = get_unit_for(_person(request), pk)
    if request.method == "POST":
        try:
            actions.remove_unit(unit=unit, by=_person(request))
            messages.success(request, f"{unit.name} is removed.")
        except Refused as refused:
            messages.error(request, str(refused))
        return redirect("units")
    return render(request, "organisations/unit_remove.html", {"unit": unit})


@form_page
@login_required
def settings(request: HttpRequest) -> HttpResponse:
    """The organisation's name, and the currency that its spend is shown in."""
    membership = require(request, Permission.MANAGE)
    organisation = membership.organisation
    known = currency.known_to(organisation.pk)
    initial = {"name": organisation.name, "currency": organisation.currency}
    form = OrganisationForm(_posted(request), initial=initial, currencies=known)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            if said["currency"]:
                actions.choose_currency(organisation=organisation, by=membership.user, code=said["currency"])
            saved = actions.rename_organisation(organisation=organisation, by=membership.user, name=said["name"])
        except Refused as refused:
            form.add_error(refused.field, str(refused))
            return render(request, "organisations/settings.html", {"form": form}, status=_status(form))
        told = f"The organisation is now called {saved.name}." if saved.name != initial["name"] else "Saved."
        messages.success(request, f"{told} Its spend is shown in {saved.currency}.")
        return redirect("settings")
    return render(request, "organisations/settings.html", {"form": form}, status=_status(form))


@require_safe
@login_required
def activity_log(request: HttpRequest) -> HttpResponse:
    """Who did what, newest first."""
    membership = require(request, Permission.SEE_ACTIVITY)
    events = AuditEvent.objects.of(membership.organisation_id)
    people = User.objects.filter(memberships__organisation=membership.organisation).order_by("name", "email")
    form = ActivityFilterForm(
        request.GET,
        verbs=[(verb, audit.spoken(verb).capitalize()) for verb in events.verbs()],
        people=[(str(user.pk), str(user)) for user in people],
    )
    wanted = form.wanted()
    # A page of many events shows the beginning of what is long in them; the address of one event shows it whole.
    single = request.GET.get("event", "")
    single = single if single.isascii() and single.isdigit() and len(single) < 10 else ""
    page = _page(request, events.filter(sequence=single) if single else events.matching(**wanted))
    context = {
        "form": form,
        "page": page,
        "single": single,
        "most_shown": LONGEST_TEXT if single else DETAIL_LENGTH,
        "is_filtered": bool(wanted or single),
    }
    return render(request, "organisations/activity_log.html", context)


@never_cache
@require_safe
@login_required
def activity_check(request: HttpRequest) -> HttpResponse:
    """Recompute the whole chain of the log and say whether it is unbroken."""
    membership = require(request, Permission.SEE_ACTIVITY)
    part = "#result" if "HX-Request" in request.headers else ""
    context = {"check": audit.verify(membership.organisation_id)}
    return render(request, f"organisations/activity_check.html{part}", context)


@require_POST
@login_required
def organisation_switch(request: HttpRequest) -> HttpResponse:
    """Work in another of one's organisations from here on."""
    form = SwitchForm(request.POST)
    wanted = form.cleaned_data["organisation"] if form.is_valid() else None
    if wanted not in {membership.organisation_id for membership in memberships_of(request)}:
        raise Http404
    request.session[SESSION_KEY] = wanted
    onward = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(onward if is_ours else reverse("home"))


@require_safe
@login_required
def no_organisation(request: HttpRequest) -> HttpResponse:
    """For people who belong to no organisation: what to do now."""
    if memberships_of(request):
        return redirect("home")
    return render(request, "organisations/no_organisation.html")


def _ago(moment: datetime) -> str:
    now = timezone.now()
    return f"{timesince(moment, now, depth=1)} ago" if now - moment >= timedelta(minutes=1) else "just now"


def _person(request: HttpRequest) -> User:
    """The signed-in person; the views that call this carry `login_required`."""
    assert isinstance(request.user, User)
    return request.user


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, be it nothing at all; None when the page is only read."""
    return request.POST if request.method == "POST" else None


def _needed(request: HttpRequest) -> Permission:
    """Lists are read with VIEW; their form is sent with MANAGE."""
    return Permission.MANAGE if request.method == "POST" else Permission.VIEW


def _status(form: Form) -> int:
    return UNPROCESSABLE if form.errors else 200


def _page(request: HttpRequest, rows: QuerySet[Row]) -> Page[Row]:
    """The page asked for; the nearest one when the number makes no sense."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def _invitations_of(membership: Membership) -> list[Invitation]:
    """Pending invitations, for those who may act on them."""
    if not membership.allows(Permission.MANAGE):
        return []
    return list(Invitation.objects.pending().filter(organisation=membership.organisation).select_related("invited_by"))


def _role_counts(everybody: MembershipQuerySet) -> list[tuple[int, str]]:
    """How many hold each role, in the order of the roles: (2, "owner"), (5, "editor")."""
    counts = everybody.by_role()
    return [(counts[role], role.value) for role in Role if role in counts]


def _invitation_page(request: HttpRequest, issued: IssuedInvitation) -> HttpResponse:
    """The link, shown this once: the page is answered directly because nothing that could show it again is kept."""
    link = request.build_absolute_uri(reverse("invitation-accept", args=[issued.token]))
    is_mailed = actions.mail_invitation(invitation=issued.invitation, link=link)
    context = {"invitation": issued.invitation, "link": link, "is_mailed": is_mailed}
    response = render(request, "organisations/invitation_issued.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _is_complete(form: AcceptForm, standing: Standing) -> bool:
    return standing == Standing.NEW and form.is_valid()


def _joined(request: HttpRequest, invitation: Invitation, form: AcceptForm) -> HttpResponse:
    """Accept, sign a new person in, and go on in the organisation joined."""
    if isinstance(request.user, User):
        membership = actions.accept_invitation(invitation=invitation, by=request.user)
    else:
        membership = actions.accept_invitation(invitation=invitation, by=None, **form.cleaned_data)
        login(request, membership.user, backend="django.contrib.auth.backends.ModelBackend")
    request.session[SESSION_KEY] = membership.organisation_id
    messages.success(request, f"Welcome to {membership.organisation}. You are {membership.role_label} here.")
    return redirect("home")
