"""What if: inputs of a use case's costs as sliders, new figures at once, and keeping what was found."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from costing.public import price_books
from organisations.roles import Permission
from portfolio.forms.what_if import SaveForm, read_address
from portfolio.gone import gone_choices
from portfolio.models import UseCase
from portfolio.permissions import SignedInRequest, get_use_case_for, membership_of
from portfolio.revisions import changes_between
from portfolio.scenarios import ScenarioChangedError, ScenarioNameError, save_base, save_scenario, spec_with
from portfolio.specs import latest_snapshot, spec_for
from portfolio.views import what_if_figures as figures
from portfolio.what_if import NoBaseError, base_of, base_version, slider_keys

UNPROCESSABLE, CONFLICT = 422, 409
PAGE = "portfolio/what_if.html"


@login_required
@require_GET
def what_if(request: SignedInRequest, pk: int) -> HttpResponse:
    """The page, or for htmx only its figures; the address holds all that was moved."""
    use_case = get_use_case_for(request.user, pk)
    try:
        state = _State(use_case, request.GET)
    except NoBaseError as error:
        return _without_base(request, use_case, error)
    status = UNPROCESSABLE if state.address.errors else 200
    if request.htmx:
        response = render(request, f"{PAGE}#figures", state.figures(), status=status)
        response["HX-Replace-Url"] = state.url
    else:
        response = render(request, PAGE, {**state.page(request), **state.figures()}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@login_required
@require_POST
def what_if_save(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep it as a scenario under a name: all draws are computed in the background, the comparison shows both."""
    use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
    try:
        state = _State(use_case, request.POST)
    except NoBaseError as error:
        return _without_base(request, use_case, error)
    form = SaveForm(request.POST)
    if problem := state.problem:
        form.add_error(None, problem)
    elif form.is_valid():
        try:
            saved = save_scenario(
                use_case=use_case, by=request.user, overrides=state.found.overrides, **form.cleaned_data
            )
        except (ScenarioNameError, ValueError) as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"Saved as “{saved.name}”. All futures are being computed for it.")
            return redirect(_comparison(use_case, saved.current.revision if saved.current else None))
    context = {**state.page(request), **state.figures(), "form": form}
    return render(request, PAGE, context, status=UNPROCESSABLE)


@login_required
@require_POST
def what_if_base(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let it count for the use case from now on."""
    use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
    try:
        state = _State(use_case, request.POST)
    except NoBaseError as error:
        return _without_base(request, use_case, error)
    status = UNPROCESSABLE
    version = request.POST.get("version", "")
    changed: dict[str, Any] = {}
    if problem := state.problem:
        changed = {"problem": problem}
    else:
        known = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1
        note = "Taken over from a what-if"
        try:
            save_base(use_case=use_case, by=request.user, overrides=state.found.overrides, version=known, note=note)
        except ScenarioChangedError:
            status, changed = CONFLICT, {"meanwhile": _meanwhile(state)}
        except ValueError as error:
            changed = {"problem": str(error)}
        else:
            messages.success(request, "It counts from now on. The costs are being computed with it.")
            return redirect("costs", pk=pk)
    return render(request, PAGE, {**state.page(request), **state.figures(), **changed}, status=status)


WHAT_IF_URLS = [
    path("use-cases/<int:pk>/costs/what-if/", what_if, name="costs-what-if"),
    path("use-cases/<int:pk>/costs/what-if/save/", what_if_save, name="costs-what-if-save"),
    path("use-cases/<int:pk>/costs/what-if/base/", what_if_base, name="costs-what-if-base"),
]


class _State:
    """One what-if: what the address says, and what follows. Raises NoBaseError."""

    def __init__(self, use_case: UseCase, said: QueryDict) -> None:
        self.use_case = use_case
        self.base = base_of(use_case)
        self.address = read_address(said, self.base)
        self.found = self.base.with_moves(self.address.moves, self.address.choices)
        self.chosen = figures.chosen_option(self.found, self.address.option)

    @property
    def url(self) -> str:
        query = urlencode(self.address.pairs)
        return reverse("costs-what-if", args=[self.use_case.pk]) + (f"?{query}" if query else "")

    @property
    def problem(self) -> str:
        """Why this cannot be kept; empty where it can."""
        if self.address.errors:
            return " ".join(self.address.errors.values())
        if not self.found.is_changed and not self.found.why_not:
            return "Nothing is moved yet. Move a slider or change a choice, then save it."
        return self.found.why_not

    def figures(self) -> dict[str, Any]:
        """What changes with every move."""
        rows = figures.option_moves(self.found, self.chosen)
        now = self.found.now
        chosen = now.option(self.chosen) if now and self.chosen else None
        return {
            "use_case": self.use_case,
            "address": self.address,
            "found": self.found,
            "says": figures.headline(self.found, self.chosen),
            "chosen": next((row for row in rows if row.is_chosen), None) if chosen else None,
            "rows": [row for row in rows if row.can_be_built],
            "impossible": [row for row in rows if not row.can_be_built],
            "scale_usd": figures.scale_usd(rows),
            "cheapest": figures.cheapest_words(self.found),
            "break_even": figures.break_even_words(self.found),
            "months_chart": figures.months(self.found, self.chosen),
            "computed_with": figures.computed_with(now) if now else "",
        }

    def page(self, request: SignedInRequest) -> dict[str, Any]:
        """What stays while sliders move."""
        base, membership = self.base, membership_of(request.user, self.use_case)
        sliders = figures.knobs(base, self.address, slider_keys(base, self.chosen))
        rows = price_books.catalogue_with(base.book, base.spec.start)
        return {
            "knobs": [knob for knob in sliders if not knob.key.endswith("_share")],
            "shares": [knob for knob in sliders if knob.key.endswith("_share")],
            "switches": figures.switches(base, self.address.choices, rows),
            "more": figures.others(base, sliders),
            "feasible": base.preview.feasible,
            "chosen_key": self.chosen,
            "decided_key": base.preview.headline_option,
            "steps": figures.STEPS,
            "version": base_version(self.use_case),
            "form": SaveForm(),
            "may_project": membership.allows(Permission.PROJECT),
            "can_see_activity": membership.allows(Permission.SEE_ACTIVITY),
        }


def _without_base(request: SignedInRequest, use_case: UseCase, error: NoBaseError) -> HttpResponse:
    spec = spec_for(use_case, latest_snapshot(use_case))
    rows = price_books.catalogue_with(price_books.latest(use_case.organisation_id), spec.start)
    may_choose = membership_of(request.user, use_case).allows(Permission.PROJECT)
    choose_url = f"{reverse('assumptions', args=[use_case.pk])}?group=choices"
    context = {
        "use_case": use_case,
        "no_base": str(error),
        "gone": gone_choices(spec.choices, rows),
        "choose_url": choose_url if may_choose else "",
    }
    return render(request, PAGE, context, status=UNPROCESSABLE)


def _meanwhile(state: _State) -> list[Any]:
    """What would differ between the base as it stands by now and this what-if."""
    return list(changes_between(state.base.spec, spec_with(state.use_case, state.found.overrides)))


def _comparison(use_case: UseCase, revision: int | None) -> str:
    """The base's figures beside the new scenario's."""
    shown = use_case.figures.scenario.revision if use_case.figures else None
    query = urlencode([("revision", number) for number in dict.fromkeys((shown, revision)) if number is not None])
    return f"{reverse('costs-compare', args=[use_case.pk])}?{query}"
