"""Forms of the register: a use case, its stage, the filters of the list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from organisations.models import BusinessUnit, Membership, Organisation, User
from organisations.roles import Permission, Role, allows
from portfolio.actions.use_cases import BillingTagTakenError, refuse_taken_tag
from portfolio.lifecycle import STAGE_LABELS, TRANSITIONS, Stage
from portfolio.models import SORTS, UseCase, UseCaseQuerySet
from portfolio.questionnaire.outcome import Status, Target
from portfolio.reassessment import behind, versions_in_force

APPROACHES = {
    Target.PROMPTING: "Prompting",
    Target.RAG: "RAG",
    Target.FINE_TUNING: "Fine-tuning",
    Target.HYBRID: "Hybrid",
}
STATUSES = {
    Status.STOP: "Stop",
    Status.DEFINE_THE_JOB: "Define the job",
    Status.START_SIMPLE: "Start simple",
    Status.NOT_READY: "Not ready",
    Status.READY: "Ready",
}
NOT_SAID = "Not said"
ANSWERING_ROLES = [role.value for role in Role if allows(role, Permission.ANSWER)]


class UseCaseForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy only
    """The fields of a new use case; of an existing one without the stage, which moves by the lifecycle's table."""

    planned = forms.ChoiceField(
        required=False,
        label="What did the team plan to build?",
        help_text="Before any assessment. The portfolio compares it with the recommendation.",
        choices=[("", NOT_SAID), *((target.value, label) for target, label in APPROACHES.items())],
        error_messages={"invalid_choice": "“%(value)s” is not one of the ways. Choose one of the list."},
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = UseCase
        fields = ["title", "description", "unit", "owner", "stage", "planned", "billing_tag"]
        labels = {
            "title": "Title",
            "description": "What should it do?",
            "unit": "Business unit",
            "owner": "Owner",
            "stage": "Stage",
            "billing_tag": "Billing tag",
        }
        help_texts = {
            "title": "As colleagues would say it: “Answers to return questions”.",
            "description": "Who asks, what comes in, what should come out.",
            "unit": "Who pays and who is asked about it.",
            "owner": "Answers for the decision and settles what people disagree on.",
            "stage": "Approval needs a review, so a new use case starts before it.",
            "billing_tag": "How it is named on bills and in usage exports. Each use case has its own.",
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 4})}
        error_messages = {
            "title": {
                "required": "The title is empty. Give the use case a name of a few words.",
                "max_length": "The title has %(show_value)s characters. Shorten it to %(limit_value)s.",
            },
            "description": {
                "max_length": "This text has %(show_value)s characters. Shorten it to %(limit_value)s.",
            },
            "unit": {"invalid_choice": "There is no such business unit here. Choose one of the list."},
            "owner": {
                "required": "Nobody owns this. Choose a member.",
                "invalid_choice": "This person cannot own a use case here. Choose a member of the list.",
            },
            "stage": {"invalid_choice": "A use case cannot start in the stage “%(value)s”. Choose one of the list."},
            "billing_tag": {
                "max_length": "The billing tag has %(show_value)s characters. Shorten it to %(limit_value)s.",
            },
        }

    fields: dict[str, Any]

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation
        owner = self.fields["owner"]
        owner.queryset = possible_owners(organisation, self.instance.owner_id if self.instance.pk else None)
        owner.empty_label = None
        unit = self.fields["unit"]
        unit.queryset = BusinessUnit.objects.filter(organisation=organisation)
        unit.empty_label = "None yet"
        if self.instance.pk:
            del self.fields["stage"]
            self.fields["version"].initial = self.instance.version
        else:
            del self.fields["version"]
            stages = (Stage.IDEA, Stage.ASSESSMENT)
            self.fields["stage"] = forms.ChoiceField(
                choices=[(s.value, STAGE_LABELS[s]) for s in stages],
                initial=Stage.IDEA.value,
                required=False,
                help_text=self.Meta.help_texts["stage"],
                error_messages=self.Meta.error_messages["stage"],
            )

    def clean_title(self) -> str:
        return " ".join(self.cleaned_data["title"].split())

    def clean_billing_tag(self) -> str:
        tag = " ".join(self.cleaned_data["billing_tag"].split())
        try:
            refuse_taken_tag(self.organisation.pk, tag, but=self.instance.pk)
        except BillingTagTakenError as taken:
            raise ValidationError(str(taken)) from taken
        return tag

    def clean_stage(self) -> str:
        return self.cleaned_data["stage"] or Stage.IDEA.value

    def values(self) -> dict[str, Any]:
        """What was entered, without the version."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class StageForm(forms.Form):
    """Where a use case may go from the stage it is in."""

    fields: dict[str, Any]

    stage = forms.ChoiceField(label="Move to")

    def __init__(self, *args: Any, use_case: UseCase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = Stage(use_case.stage)
        ways = [stage for stage in Stage if stage in TRANSITIONS[here]]
        field = self.fields["stage"]
        field.choices = [(stage.value, STAGE_LABELS[stage]) for stage in ways]
        words = " or ".join(f"“{STAGE_LABELS[stage]}”" for stage in ways)
        field.error_messages = {
            "required": f"No stage was chosen. Choose {words}.",
            "invalid_choice": f"A use case in the stage “{STAGE_LABELS[here]}” can go to {words} only.",
        }


class UseCaseFilter(forms.Form):
    """What the list of use cases shows. Everything stands in the address."""

    fields: dict[str, Any]

    q = forms.CharField(label="Search", required=False, max_length=200, strip=True)
    stage = forms.ChoiceField(required=False)
    approach = forms.ChoiceField(required=False)
    status = forms.ChoiceField(required=False)
    unit = forms.ChoiceField(required=False)
    owner = forms.ChoiceField(required=False)
    review = forms.ChoiceField(required=False)
    version = forms.ChoiceField(required=False)
    sort = forms.ChoiceField(required=False, choices=[(s, s) for s in SORTS], widget=forms.HiddenInput)

    DEFAULT_SORT = "-updated"
    REVIEWS = {"overdue": "Overdue", "soon": "Due in 30 days", "none": "None planned"}
    VERSIONS = {"behind": "Under earlier versions"}
    COLUMNS = {
        "stage": "stage",
        "approach": "target",
        "status": "status",
        "unit": "unit_id",
        "owner": "owner_id",
    }

    def __init__(self, data: QueryDict, *, organisation: Organisation) -> None:
        super().__init__(data)
        self.organisation = organisation
        people = User.objects.filter(memberships__organisation=organisation).order_by("name", "email")
        units = BusinessUnit.objects.filter(organisation=organisation)
        self._choose("stage", "Any stage", [(s.value, STAGE_LABELS[s]) for s in Stage])
        self._choose("approach", "Any approach", [(t.value, label) for t, label in APPROACHES.items()])
        self._choose("status", "Any status", [(s.value, label) for s, label in STATUSES.items()])
        self._choose("unit", "Any unit", [(str(unit.pk), unit.name) for unit in units])
        self._choose("owner", "Anyone", [(str(person.pk), str(person)) for person in people])
        self._choose("review", "Any review", self.REVIEWS.items())
        self._choose("version", "Any version", self.VERSIONS.items())
        self.fields["q"].widget.attrs.update({"type": "search", "placeholder": "Title, purpose or owner"})
        self.fields["q"].error_messages["max_length"] = "The search is too long. Use at most 200 characters."

    def _choose(self, name: str, anything: str, choices: Iterable[tuple[str, str]]) -> None:
        field = self.fields[name]
        field.choices = [("", anything), *choices]
        field.error_messages["invalid_choice"] = f"{name.capitalize()} “%(value)s” does not exist here: left out."

    @property
    def sort_order(self) -> str:
        return (self.cleaned_data.get("sort") if self.is_valid() or self.cleaned_data else "") or self.DEFAULT_SORT

    def conditions(self) -> dict[str, Any]:
        """Column → value for the valid filters that are set."""
        self.is_valid()
        given = self.cleaned_data
        return {column: given[name] for name, column in self.COLUMNS.items() if given.get(name)}

    def text(self) -> str:
        self.is_valid()
        return self.cleaned_data.get("q") or ""

    def narrowed(self, use_cases: UseCaseQuerySet) -> UseCaseQuerySet:
        """Those of `use_cases` that all the filters and the search let through. What is retired awaits no review."""
        found = use_cases.filter(**self.conditions()).matching(self.text())
        review, version = (self.cleaned_data.get(name) for name in ("review", "version"))
        if review or version:
            found = found.exclude(stage=Stage.RETIRED)
        if review:
            found = found.to_review(review, timezone.localdate())
        if version:
            found = behind(found, versions_in_force(self.organisation.pk))
        return found

    def is_set(self) -> bool:
        return bool(self.conditions() or self.text() or any(self.cleaned_data.get(n) for n in ("review", "version")))


def possible_owners(organisation: Organisation, current: int | None = None) -> Any:
    """Members who may answer every question; the present owner stays possible whatever became of their role."""
    members = Membership.objects.active().filter(organisation=organisation, role__in=ANSWERING_ROLES)
    owners = User.objects.filter(pk__in=members.values("user_id"), is_active=True)
    if current is not None:
        owners = owners | User.objects.filter(pk=current)
    return owners.distinct().order_by("name", "email")
