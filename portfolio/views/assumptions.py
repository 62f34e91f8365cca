"""Editing the assumptions of a cost scenario: by group, one by one, and what is chosen from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from costing.public import (
    Catalogue,
    Input,
    Origin,
    ScenarioSpec,
    Shape,
    complete_inputs,
    input_bounds,
    input_defaults,
    price_books,
    with_overrides,
)
from organisations.roles import Permission
from portfolio import scenarios
from portfolio.forms.assumptions import PARTS, AssumptionsForm, band_labels, shape_for, typed_number
from portfolio.forms.fields import sentence
from portfolio.forms.scenarios import ChoicesForm
from portfolio.gone import Gone, gone_choices, standing_in
from portfolio.models import CostScenario, UseCase
from portfolio.permissions import SignedInRequest, get_cost_scenario_for, get_use_case_for
from portfolio.questionnaire.loading import load
from portfolio.revisions import Change, changes_between, from_words, unit_words, value_words
from portfolio.views.cost_figures import GROUP_LABELS

UNPROCESSABLE, CONFLICT = 422, 409
CHOICES = "choices"
GROUPS = {**GROUP_LABELS, CHOICES: "Models, hardware, horizon"}
COUNTED = ("input_tokens", "instruction_tokens", "output_tokens", "cached_prompt_tokens", "tokens_per_example")
COUNTED_WORDS = (
    "Measured lengths count as the model’s own tokens: no factor for its tokenizer or the language is put on them."
)
SHAPE_WORDS = {
    Shape.LOGNORMAL: "Eight of ten futures lie between low and high, most likely near the value; half lie below it.",
    Shape.EVENT_TIME: "Eight of ten futures lie between low and high, most likely near the value; half lie below it.",
    Shape.NORMAL: "Eight of ten futures lie between low and high, as many above their middle as below.",
    Shape.PERT: "Every future lies between the two ends, most likely near the value.",
    Shape.TRIANGULAR: "Every future lies between the two ends, most likely near the value.",
    Shape.UNIFORM: "Every future lies between the two ends, each value as likely as another.",
}


@dataclass(frozen=True)
class Edited:
    """What is edited: the base of a use case, or one of its what-ifs, as it stands now."""

    use_case: UseCase
    scenario: CostScenario | None
    overrides: Mapping[str, Any]
    version: int

    @cached_property
    def answered(self) -> ScenarioSpec:
        return scenarios.spec_with(self.use_case, {})

    @cached_property
    def spec(self) -> ScenarioSpec:
        return with_overrides(self.answered, self.overrides)

    @cached_property
    def catalogue(self) -> Catalogue:
        return price_books.catalogue_with(price_books.latest(self.use_case.organisation_id), self.answered.start)

    @cached_property
    def gone(self) -> tuple[Gone, ...]:
        """What is chosen and no longer among the prices; the product's own choice stands in for it."""
        return gone_choices(self.spec.choices, self.catalogue)

    @cached_property
    def now(self) -> dict[str, Input]:
        return self.completed(self.spec)

    @cached_property
    def without(self) -> dict[str, Input]:
        """The inputs as answers, catalogue and assumptions say them, with what is chosen by hand."""
        bare = with_overrides(self.answered, {**self.overrides, "inputs": {}})
        return self.completed(bare)

    def completed(self, spec: ScenarioSpec) -> dict[str, Input]:
        return {one.key: one for one in complete_inputs(standing_in(spec, self.gone), self.catalogue)}

    @property
    def by_hand(self) -> Mapping[str, Any]:
        return self.overrides.get("inputs") or {}

    @property
    def query(self) -> str:
        return f"scenario={self.scenario.pk}" if self.scenario else ""

    @property
    def costs_url(self) -> str:
        url = reverse("costs", args=[self.use_case.pk])
        return f"{url}?{self.query}" if self.query else url


@dataclass(frozen=True)
class Row:
    """One input with its fields, as the page shows it."""

    key: str
    label: str
    unit: str
    fields: Mapping[str, Any]
    labels: Mapping[str, str]
    present: str
    standing: str
    origin: str
    question: tuple[str, str, str] | None  # section, id and text of the question it comes from
    without: str
    without_from: str
    is_by_hand: bool
    is_open: bool
    shape: str
    limits: str
    remark: str


@login_required
@require_http_methods(["GET", "POST"])
def assumptions(request: SignedInRequest, pk: int) -> HttpResponse:
    """A group of inputs, or what is chosen from the catalogue."""
    edited = _edited_for(request, pk)
    group = request.GET.get("group", "volume")
    if group not in GROUPS:
        raise Http404("no such group of assumptions")
    if group == CHOICES:
        return _choices_page(request, edited)
    keys = [key for key, row in input_defaults().items() if row.group == group]
    return _inputs_page(request, edited, group, keys, "")


@login_required
@require_http_methods(["GET", "POST"])
def assumption(request: SignedInRequest, pk: int, key: str) -> HttpResponse:
    """One input."""
    edited = _edited_for(request, pk)
    if key not in input_defaults():
        raise Http404("no such input")
    return _inputs_page(request, edited, input_defaults()[key].group, [key], key)


ASSUMPTION_URLS = [
    path("use-cases/<int:pk>/costs/assumptions/", assumptions, name="assumptions"),
    path("use-cases/<int:pk>/costs/assumptions/<slug:key>/", assumption, name="assumption"),
]


def _edited_for(request: SignedInRequest, pk: int) -> Edited:
    """What the address names, for who may revise scenarios there; else 404 or 403."""
    wanted = request.GET.get("scenario", "")
    if not wanted:
        use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
        base = CostScenario.objects.filter(use_case=use_case, is_base=True).first()
        return Edited(use_case, None, base.overrides if base else {}, base.version if base else 0)
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 10):
        raise Http404("no such scenario")
    use_case, scenario = get_cost_scenario_for(request.user, pk, int(wanted), Permission.PROJECT)
    return Edited(use_case, scenario, scenario.overrides, scenario.version)


def _inputs_page(request: SignedInRequest, edited: Edited, group: str, keys: list[str], only: str) -> HttpResponse:
    inputs = [edited.now[key] for key in keys]
    data = request.POST if request.method == "POST" else None
    form = AssumptionsForm(inputs, version=edited.version, by_hand=edited.by_hand, data=data)
    if data is None:
        return _shown_inputs(request, edited, form, group, only)
    if not form.is_valid():
        return _shown_inputs(request, edited, form, group, only, status=UNPROCESSABLE)
    overrides = _with_inputs(edited, form, request.user)
    if not form.edited():
        messages.info(request, "Nothing was changed, so nothing was saved.")
        return redirect(edited.costs_url)
    try:
        revision = _save(request, edited, overrides, form.cleaned_data)
    except scenarios.ScenarioChangedError as meanwhile:
        now = _as_now(edited, meanwhile.scenario)
        theirs = [_both(yours.key, now, overrides) for yours in form.edited()]
        again = _reopened(request.POST, form, now, keys)
        return _shown_inputs(request, now, again, group, only, theirs=theirs, status=CONFLICT)
    except ValueError as error:
        form.add_error(None, sentence(error))
        return _shown_inputs(request, edited, form, group, only, status=UNPROCESSABLE)
    return _saved(request, edited, revision)


def _choices_page(request: SignedInRequest, edited: Edited) -> HttpResponse:
    if request.method == "GET":
        return _shown_choices(request, edited, _choices_form(edited, initial={"version": edited.version}))
    form = _choices_form(edited, request.POST)
    if not form.is_valid():
        return _shown_choices(request, edited, form, status=UNPROCESSABLE)
    overrides = form.overrides(edited.overrides)
    try:
        revision = _save(request, edited, overrides, form.cleaned_data)
    except scenarios.ScenarioChangedError as meanwhile:
        now = _as_now(edited, meanwhile.scenario)
        mine = with_overrides(now.answered, form.overrides(now.overrides))
        data = request.POST.copy()
        data["version"] = str(now.version)
        theirs = list(changes_between(mine, now.spec))
        return _shown_choices(request, now, _choices_form(now, data), theirs=theirs, status=CONFLICT)
    except ValueError as error:
        form.add_error(None, sentence(error))
        return _shown_choices(request, edited, form, status=UNPROCESSABLE)
    return _saved(request, edited, revision)


def _choices_form(edited: Edited, data: Any = None, initial: Mapping[str, Any] | None = None) -> ChoicesForm:
    return ChoicesForm(
        data,
        initial=dict(initial or {}),
        catalogue=edited.catalogue,
        without=edited.answered,
        overrides=edited.overrides,
        has_own_rent="gpu_usd_per_hour" in edited.by_hand,
    )


def _with_inputs(edited: Edited, form: AssumptionsForm, by: Any) -> dict[str, Any]:
    """The whole document with what the form changes; what was entered says by whom and when."""
    inputs = dict(edited.by_hand)
    for change in form.edited():
        if change.override is None:
            inputs.pop(change.key, None)
            continue
        detail = f"entered by {by} on {timezone.localdate():%-d %B %Y}"
        inputs[change.key] = {**change.override, "provenance": {**change.override["provenance"], "detail": detail}}
    document = {**edited.overrides, "inputs": inputs}
    return {name: value for name, value in document.items() if value}


def _save(request: SignedInRequest, edited: Edited, overrides: Mapping[str, Any], said: Mapping[str, Any]) -> int:
    """The number of the revision that was stored."""
    given = {"by": request.user, "overrides": overrides, "version": said["version"], "note": said["note"]}
    if edited.scenario is None:
        return scenarios.save_base(use_case=edited.use_case, **given).scenario.revision
    saved = scenarios.save_scenario(
        use_case=edited.use_case, name=edited.scenario.name, scenario=edited.scenario, **given
    )
    return saved.current.revision if saved.current else 0


def _saved(request: SignedInRequest, edited: Edited, revision: int) -> HttpResponse:
    messages.success(request, f"Saved as revision {revision}. Its figures are computed from it.")
    return redirect(edited.costs_url)


def _as_now(edited: Edited, scenario: CostScenario) -> Edited:
    """The same as somebody else left it meanwhile."""
    stands = edited.scenario and scenario
    return replace(edited, scenario=stands, overrides=scenario.overrides, version=scenario.version)


def _both(key: str, now: Edited, overrides: Mapping[str, Any]) -> Change:
    """One input as mine would be (before) and as theirs is (after)."""
    inputs = {name: value for name, value in now.by_hand.items() if name != key}
    if key in (overrides.get("inputs") or {}):
        inputs[key] = overrides["inputs"][key]
    mine = with_overrides(now.answered, {**now.overrides, "inputs": inputs})
    yours = now.completed(mine)[key]
    return Change("input", key, input_defaults()[key].label, value_words(yours), value_words(now.now[key]))


def _reopened(entered: QueryDict, form: AssumptionsForm, now: Edited, keys: Iterable[str]) -> AssumptionsForm:
    """The form again with all that was entered, on top of how the scenario stands now."""
    data = entered.copy()
    data["version"] = str(now.version)
    mine = {change.key for change in form.edited()}
    for key in set(keys) - mine:  # not touched: theirs is shown
        for part in (*PARTS, "seen", "back"):
            data.pop(f"{key}-{part}", None)
    again = AssumptionsForm([now.now[key] for key in keys], version=now.version, by_hand=now.by_hand, data=data)
    for key in set(keys) - mine:
        for part in (*PARTS, "seen"):
            data[f"{key}-{part}"] = again.fields[f"{key}-{part}"].initial
    return again


def _shown_inputs(
    request: SignedInRequest,
    edited: Edited,
    form: AssumptionsForm,
    group: str,
    only: str,
    *,
    theirs: list[Change] | None = None,
    status: int = 200,
) -> HttpResponse:
    questionnaire = load(edited.use_case.assessment().questionnaire_version)
    unfolded = form.open_keys() | ({only} if only else set())
    asked = {question.id: question for question in questionnaire.questions}
    rows = [_row(key, edited, form, asked, is_open=key in unfolded) for key in form.inputs]
    context = {
        **_about(edited, group),
        "form": form,
        "rows": rows,
        "only": rows[0] if only else None,
        "theirs": theirs,
    }
    return render(request, "portfolio/assumption_inputs.html", context, status=status)


def _shown_choices(
    request: SignedInRequest,
    edited: Edited,
    form: ChoicesForm,
    *,
    theirs: list[Change] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        **_about(edited, CHOICES),
        "form": form,
        "shown": [bound for bound in form if bound.name not in ("note", "version")],
        "theirs": theirs,
    }
    return render(request, "portfolio/assumption_choices.html", context, status=status)


def _about(edited: Edited, group: str) -> dict[str, Any]:
    inputs = input_defaults()
    counts = {key: sum(inputs[one].group == key for one in edited.by_hand if one in inputs) for key in GROUPS}
    choose = urlencode({"group": CHOICES, **({"scenario": edited.scenario.pk} if edited.scenario else {})})
    return {
        "use_case": edited.use_case,
        "scenario": edited.scenario,
        "group": group,
        "group_label": GROUPS[group],
        "groups": [(key, label, counts[key]) for key, label in GROUPS.items()],
        "scenario_query": f"&{edited.query}" if edited.query else "",
        "costs_url": edited.costs_url,
        "gone": edited.gone,
        "choose_url": "" if group == CHOICES else f"{reverse('assumptions', args=[edited.use_case.pk])}?{choose}",
    }


def _row(key: str, edited: Edited, form: AssumptionsForm, asked: Mapping[str, Any], *, is_open: bool) -> Row:
    now, without, defaults = edited.now[key], edited.without[key], input_defaults()[key]
    origin = now.provenance.origin
    question = asked.get(now.provenance.detail) if origin is Origin.ANSWER else None
    labels = band_labels(now)
    return Row(
        key=key,
        label=defaults.label,
        unit=unit_words(defaults.unit),
        fields={part: form[f"{key}-{part}"] for part in (*PARTS, "back", "seen")},
        labels=labels,
        present=value_words(now),
        standing={Origin.ASSUMPTION: "assumed", Origin.MEASURED: "measured"}.get(origin, "known"),
        origin=from_words(now),
        question=(question.section, question.id, question.text) if question else None,
        without=value_words(without),
        without_from=_said_by(without, asked),
        is_by_hand=key in edited.by_hand,
        is_open=is_open,
        shape=SHAPE_WORDS.get(shape_for(now), ""),
        limits=_limits(key),
        remark=COUNTED_WORDS if key in COUNTED else "",
    )


def _said_by(one: Input, asked: Mapping[str, Any]) -> str:
    """Where a value comes from that nobody set by hand."""
    if one.provenance.origin is Origin.ANSWER:
        question = asked.get(one.provenance.detail)
        return f"the answer to “{question.text}”" if question else "an answer"
    return from_words(one)


def _limits(key: str) -> str:
    least, most = input_bounds()[key]
    unit = input_defaults()[key].unit
    words = f"at least {typed_number(least, unit)}"
    return words if most == float("inf") else f"{words}, at most {typed_number(most, unit)}"
