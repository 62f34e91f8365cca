"""Forms of the register and of the questionnaire: each says in its own words what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from organisations.models import BusinessUnit, Membership, Organisation, User
from organisations.roles import Permission, Role, allows
from portfolio.actions.answers import COMMENT_LENGTH
from portfolio.lifecycle import STAGE_LABELS, TRANSITIONS, Stage
from portfolio.models import SORTS, Answer, AnswerRevision, UseCase, UseCaseQuerySet
from portfolio.questionnaire.answers import AnswerError, clean
from portfolio.questionnaire.outcome import Status, Target
from portfolio.questionnaire.spec import Kind, Question, Value
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
ANSWERING_ROLES = [role.value for role in Role if allows(role, Permission.ANSWER)]
URL_LENGTH = 2_000
DONT_KNOW = "?"  # what the last option of a choice sends; no code of the questionnaire looks like it


class UseCaseForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy only
    """The five fields of a new use case; four of an existing one, whose stage moves by the lifecycle's table."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = UseCase
        fields = ["title", "description", "unit", "owner", "stage"]
        labels = {
            "title": "Title",
            "description": "What should it do?",
            "unit": "Business unit",
            "owner": "Owner",
            "stage": "Stage",
        }
        help_texts = {
            "title": "As colleagues would say it: “Answers to return questions”.",
            "description": "Who asks, what comes in, what should come out.",
            "unit": "Who pays and who is asked about it.",
            "owner": "Answers for the decision and settles what people disagree on.",
            "stage": "Approval needs a review, so a new use case starts before it.",
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
        }

    fields: dict[str, Any]

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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


def _note(label: str, empty: str) -> forms.CharField:
    return forms.CharField(
        max_length=COMMENT_LENGTH,
        label=label,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        error_messages={
            "required": empty,
            "max_length": "The note has %(show_value)s characters. Shorten it to %(limit_value)s.",
        },
    )


class AnswerForm:
    """One question's fields as sent: `value:<id>`, `none:<id>`, `dont_know:<id>`, `comment:<id>`, `evidence:<id>`.

    After `is_valid()` the parsed answer is in `value`, `dont_know`, `comment`, `evidence_url`; what is wrong is in
    `errors` by field. `entered` is kept as it came, so that a page can show it again. Not a `django.forms.Form`: the
    questionnaire's own `clean` is the one place that knows what an answer may be.
    """

    def __init__(self, question: Question, data: QueryDict) -> None:
        self.question = question
        self.errors: dict[str, str] = {}
        self.entered: list[str] = data.getlist(f"value:{question.id}")
        self.higher = data.get(f"higher:{question.id}", "")
        self.none = f"none:{question.id}" in data
        self.dont_know = f"dont_know:{question.id}" in data or self.entered == [DONT_KNOW]
        self.comment = data.get(f"comment:{question.id}", "").replace("\r\n", "\n").strip()
        self.evidence_url = data.get(f"evidence:{question.id}", "").strip()
        self.value: Value = None
        self.was_sent = any(
            f"{name}:{question.id}" in data for name in ("value", "none", "dont_know", "comment", "evidence", "was")
        )
        self.seen_revision = _revision(data.get(f"was:{question.id}", ""))

    def is_valid(self) -> bool:
        self.errors = {}
        self._check_value()
        if len(self.comment) > COMMENT_LENGTH:
            self.errors["comment"] = (
                f"The comment has {len(self.comment):,} characters. "
                f"Shorten it to {COMMENT_LENGTH:,} or link a document."
            )
        elif "\x00" in self.comment:
            self.errors["comment"] = "The comment contains a character that cannot be stored (NUL). Remove it."
        self._check_evidence()
        return not self.errors

    def _given(self) -> list[str]:
        return [entry for entry in self.entered if entry.strip() and entry != DONT_KNOW]

    def _check_value(self) -> None:
        given, listed = self._given(), self.question.kind in (Kind.MULTIPLE, Kind.RANKED)
        self.value = None
        if self.dont_know and (given or self.none):
            self.errors["value"] = "There is an answer and “don't know yet” as well. Keep one of the two."
        elif listed and self.none and given:
            self.errors["value"] = "“None of these” was chosen together with others. Keep one or the other."
        elif not self.dont_know and (given or (listed and self.none)):
            try:
                self.value = clean(self.question, self._raw(given))
            except AnswerError as error:
                self.errors["value"] = str(error)

    def _raw(self, given: list[str]) -> Value:
        if self.question.kind in (Kind.MULTIPLE, Kind.RANKED):
            return given
        if self.question.kind is Kind.METRIC:
            return {"name": given[0], "higher_is_better": {"yes": True, "no": False}.get(self.higher)}
        return given[0]

    def _check_evidence(self) -> None:
        if not self.evidence_url:
            return
        if len(self.evidence_url) > URL_LENGTH:
            self.errors["evidence"] = f"The link has {len(self.evidence_url):,} characters. Use at most {URL_LENGTH:,}."
            return
        try:
            if any(ord(character) < 33 for character in self.evidence_url):
                raise ValidationError("blank")
            URLValidator(schemes=["http", "https"])(self.evidence_url)
        except ValidationError:
            self.errors["evidence"] = "This is not a web address. Give one that starts with http:// or https://."

    def values(self) -> dict[str, Any]:
        """The parsed answer, as `actions.save_answer` takes it."""
        return {
            "value": self.value,
            "dont_know": self.dont_know,
            "comment": self.comment,
            "evidence_url": self.evidence_url,
        }

    def is_like(self, earlier: Answer | AnswerRevision | None) -> bool:
        """Whether what was sent says the same as `earlier` (None: nothing was said). Call after `is_valid`."""
        if earlier is None:
            return self.value is None and not (self.dont_know or self.comment or self.evidence_url)
        then = (earlier.value, earlier.dont_know, earlier.comment, earlier.evidence_url)
        return (self.value, self.dont_know, self.comment, self.evidence_url) == then


class SettleForm(forms.Form):
    """The owner's word on a disputed question: one of the answers given, another one, or none yet – and why.

    Another answer comes in the fields of `AnswerForm`, kept in `another`. After `is_valid()` what counts is in `value`;
    None leaves the question open.
    """

    fields: dict[str, Any]

    OTHER = "other"
    LEFT_OPEN = "open"

    choice = forms.ChoiceField(
        label="Which answer counts",
        error_messages={
            "required": "No answer was chosen. Choose the one that counts.",
            "invalid_choice": "This answer is no longer among those given. Choose one of the list.",
        },
    )
    note = _note("Why", "The note is empty. Say in a sentence why this answer counts.")
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, *, question: Question, sides: Mapping[str, Value], seen: str) -> None:
        if "choice" not in data and any(text.strip() for text in data.getlist(f"value:{question.id}")):
            data = data.copy()
            data["choice"] = self.OTHER
        super().__init__(data)
        self.sides, self.now = sides, seen
        self.another = AnswerForm(question, data)
        self.value: Value = None
        self.fields["choice"].choices = [(key, key) for key in (*sides, self.OTHER, self.LEFT_OPEN)]

    def clean_choice(self) -> str:
        choice = str(self.cleaned_data["choice"])
        if choice == self.OTHER:
            self.value = self._other()
        else:
            self.value = self.sides.get(choice)
        return choice

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("seen", self.now) not in ("", self.now):
            raise ValidationError(
                "Somebody answered while this page was open, so the answers are others now. Look at them and settle "
                "again; your note is still here."
            )
        return self.cleaned_data

    def _other(self) -> Value:
        if not self.another.is_valid():
            raise ValidationError(self.another.errors.get("value", "The other answer cannot be read. Enter it again."))
        if self.another.value is None:
            raise ValidationError("“Another answer” was chosen, but none is entered. Enter it, or choose one given.")
        return self.another.value


class ReopenForm(forms.Form):
    """Why a settled question is open again."""

    fields: dict[str, Any]

    note = _note("Why", "The note is empty. Say in a sentence why the question is open again.")


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, also when that is nothing; None when the form is only opened."""
    return request.POST if request.method == "POST" else None


def possible_owners(organisation: Organisation, current: int | None = None) -> Any:
    """Members who may answer every question; the present owner stays possible whatever became of their role."""
    members = Membership.objects.active().filter(organisation=organisation, role__in=ANSWERING_ROLES)
    owners = User.objects.filter(pk__in=members.values("user_id"), is_active=True)
    if current is not None:
        owners = owners | User.objects.filter(pk=current)
    return owners.distinct().order_by("name", "email")


def _revision(text: str) -> int | None:
    """The revision a page showed, 0 for "nothing said yet"; None when it does not say."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
