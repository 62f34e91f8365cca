"""The form of one evaluation run: each field says in its own words what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils import timezone

from portfolio.actions.evidence import InvalidAttachmentError, Measured, Upload, check_file
from portfolio.governance.ladder import Goal, plain
from portfolio.governance.scores import spread_of_share
from portfolio.models import EvaluationRun
from portfolio.questionnaire.answers import AnswerError, clean
from portfolio.questionnaire.spec import Kind, Question, Unit

SHARE, MEAN = "share", "mean"
PERCENT = Unit(names=("%", "percent", "per cent", "pct"), factor=1)
FAR = 1_000_000_000.0
EARLIEST_ZONE = timedelta(hours=14)  # somewhere the day has begun already


def _number(name: str, **limits: Any) -> Question:
    """A number as the questionnaire reads them: 12k, 1.234,5, 30 %."""
    return Question(name, "", "", "", (), Kind.NUMBER, **limits)


SHARE_OF_CASES = _number("score", unit="%", units=(PERCENT,), minimum=0, maximum=100)
NUMBERS = {
    "score": _number("score", minimum=-FAR, maximum=FAR),
    "target": _number("target", minimum=-FAR, maximum=FAR),
    "sample_size": _number("sample_size", unit="cases", minimum=1, maximum=FAR, integer=True),
    "spread": _number("spread", minimum=0, maximum=FAR),
    "cost": _number("cost", unit="$", minimum=0, maximum=FAR),
}


def _text(label: str, length: int, *, empty: str = "", **more: Any) -> forms.CharField:
    errors = {"max_length": f"This text has %(show_value)s characters. Shorten it to {length:,}."}
    if empty:
        errors["required"] = empty
    return forms.CharField(label=label, max_length=length, required=bool(empty), error_messages=errors, **more)


class RunForm(forms.Form):
    """A run as people enter it. After `is_valid`, `measured()` and `upload()` are what the act takes."""

    fields: dict[str, Any]

    rung = forms.ChoiceField(
        label="Which rung was measured?",
        choices=EvaluationRun.RUNGS,
        widget=forms.RadioSelect,
        error_messages={
            "required": "No rung was chosen. Choose what was measured.",
            "invalid_choice": "There is no rung “%(value)s”. Choose one of the list.",
        },
    )
    title = _text("What was tried?", 300, help_text="Prompt version, model, retriever: so that it can be repeated.")
    metric = _text("Metric", 120, empty="The metric is empty. Name what was counted, for example “exact match, %”.")
    higher = forms.ChoiceField(
        label="Which way is better?",
        choices=[("yes", "Higher is better"), ("no", "Lower is better")],
        widget=forms.RadioSelect,
        initial="yes",
        error_messages={
            "required": "Say whether higher or lower is better.",
            "invalid_choice": "Say whether higher or lower is better.",
        },
    )
    kind = forms.ChoiceField(
        label="What kind of figure is it?",
        choices=[(SHARE, "A share of the cases"), (MEAN, "An average of a score per case")],
        widget=forms.RadioSelect,
        initial=SHARE,
        help_text="Its 95 % interval follows from this and the number of cases.",
        error_messages={
            "required": "Say whether the score is a share of the cases or an average.",
            "invalid_choice": "Say whether the score is a share of the cases or an average.",
        },
    )
    score = _text("Score", 80, empty="The score is empty. Write what was measured, for example 84 % or 0.84.")
    sample_size = _text(
        "Cases", 80, empty="The number of cases is empty. Without it nobody knows how sure the score is."
    )
    spread = _text("Standard deviation of the single scores", 80, help_text="For an average only.")
    target = _text("Value that is good enough", 80, help_text="In the score’s own scale.")
    dataset = _text("Data set", 200, empty="The data set is empty. Name the cases that the run was measured on.")
    dataset_version = _text(
        "Its version", 60, empty="The version is empty. Only runs on the same version are compared."
    )
    ran_on = forms.DateField(
        label="Day of the run",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": "The day is empty. Say when it was measured.",
            "invalid": "This is no day. Write it as 2026-11-03.",
        },
    )
    cost = _text("Cost of the run", 80)
    note = _text("Note", 20_000, widget=forms.Textarea(attrs={"rows": 4}), help_text="Failures seen, what to try next.")
    attachment = forms.FileField(
        label="File",
        required=False,
        allow_empty_file=True,  # said in our own words
        help_text="One file of at most 10 MB, for example the scored cases. It is kept as it is and only downloaded.",
    )
    use = forms.BooleanField(
        label="Use it as this rung’s measurement: it becomes your answers in the questionnaire",
        required=False,
        initial=True,
    )

    def __init__(self, request: HttpRequest, *, goal: Goal, closed: Mapping[str, str], advice: str) -> None:
        """`closed`: rung → why it has not been earned, "" if it has; `advice`: how many cases to measure on."""
        is_sent = request.method == "POST"
        initial = {
            "rung": request.GET.get("rung", ""),
            "metric": goal.metric,
            "higher": "yes" if goal.higher_is_better else "no",
            "target": "" if goal.target is None else f"{goal.target:.12g}",
            "ran_on": timezone.localdate(),
        }
        super().__init__(
            data=request.POST if is_sent else None, files=request.FILES if is_sent else None, initial=initial
        )
        self.goal = goal
        self.fields["rung"].examples = {
            key: f"{why} You may record it all the same." for key, why in closed.items() if why
        }
        self.fields["kind"].examples = {
            SHARE: "168 of 200 right: 84 %. Also a share that is wrong, if lower is better.",
            MEAN: "Points that reviewers gave, seconds, ROUGE, F1.",
        }
        self.fields["sample_size"].help_text = advice
        for name, known in (("metric", "metrics"), ("dataset", "datasets"), ("dataset_version", "versions")):
            self.fields[name].widget.attrs["list"] = known  # the browser offers what is known; anything may be typed
        self.in_percent = False

    @property
    def loses_file(self) -> bool:
        """Whether a file was sent with a form that comes back: browsers do not keep it."""
        return bool(self.files) and not self.is_valid()

    def clean_ran_on(self) -> date:
        day: date = self.cleaned_data["ran_on"]
        if day > (timezone.now() + EARLIEST_ZONE).date():
            raise forms.ValidationError("This day is in the future. Give the day the run was measured.")
        return day

    def clean_attachment(self) -> UploadedFile[Any] | None:
        file: UploadedFile[Any] | None = self.cleaned_data["attachment"]
        if file is None:
            return None
        try:
            check_file(file.name or "", file.size or 0)  # before its bytes are read
        except InvalidAttachmentError as error:
            raise forms.ValidationError(str(error)) from error
        return file

    def clean(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        for name in ("sample_size", "cost"):
            self._read(name, given, NUMBERS[name])
        if given.get("kind") == SHARE:
            self._read_shares(given)
        elif given.get("kind") == MEAN:
            for name in ("score", "target", "spread"):
                self._read(name, given, NUMBERS[name])
        return given

    def measured(self) -> Measured:
        """What the act records. Call after `is_valid`."""
        given = self.cleaned_data
        spread = given["spread"]
        if given["kind"] == SHARE:
            spread = spread_of_share(given["score"], 100.0 if self.in_percent else 1.0)
        return Measured(
            rung=given["rung"],
            title=" ".join(given["title"].split()),
            dataset=" ".join(given["dataset"].split()),
            dataset_version=" ".join(given["dataset_version"].split()),
            metric=" ".join(given["metric"].split()),
            higher_is_better=given["higher"] == "yes",
            score=given["score"],
            sample_size=int(given["sample_size"]),
            spread=spread,
            target=given["target"],
            cost_usd=None if given["cost"] is None else Decimal(str(given["cost"])).quantize(Decimal("0.01")),
            ran_on=given["ran_on"],
            note=given["note"],
        )

    def upload(self) -> Upload | None:
        file = self.cleaned_data["attachment"]
        return None if file is None else Upload(file.name, file.read())

    # --- numbers --------------------------------------------------------------------------------------------------

    def _read(self, name: str, given: dict[str, Any], question: Question) -> None:
        """Replace what was typed by its number; None where an optional field is empty."""
        typed = given.get(name)
        if typed is None:
            return
        given[name] = None
        if not typed.strip():
            return
        try:
            given[name] = clean(question, typed)
        except AnswerError as error:
            self.add_error(name, str(error).replace(", or choose “Don’t know yet”", ""))

    def _read_shares(self, given: dict[str, Any]) -> None:
        """Score and target on one scale: per cent or shares of 1, as the agreed target has it, else as they were typed.

        A number with a % sign is per cent on either scale, and so is one above 1; one up to 1 beside a target in per
        cent could be either and is asked for again.
        """
        if given.get("spread", "").strip():
            self.add_error("spread", "A share has no spread of its own: leave this empty, or choose the average.")
        given["spread"] = None
        names = [name for name in ("score", "target") if given.get(name, "").strip()]
        signed = {name: _has_percent(given[name]) for name in names}
        for name in ("score", "target"):
            self._read(name, given, SHARE_OF_CASES)
        values = {name: given[name] for name in names if given.get(name) is not None}
        self.in_percent = self._is_in_percent(given, values, signed)
        for name, value in values.items():
            per_cent = signed[name] or value > 1
            agreed = name == "target" and value == self.goal.target
            if self.in_percent and not per_cent and value > 0 and not agreed:
                said = f"{value:g} could be {value:g} % or {100 * value:g} %"
                self.add_error(name, f"{said}. Write it with the % sign.")
            elif per_cent and not self.in_percent:
                given[name] = float(f"{value / 100:.12g}")

    def _is_in_percent(self, given: Mapping[str, Any], values: Mapping[str, float], signed: Mapping[str, bool]) -> bool:
        if self._says_percent(given):
            return True
        agreed = self.goal.target if plain(given.get("metric", "")) == plain(self.goal.metric) else None
        if agreed is not None:
            return agreed > 1
        return any(signed[name] or value > 1 for name, value in values.items())

    def _says_percent(self, given: Mapping[str, Any]) -> bool:
        return "%" in given.get("metric", "")


class WithdrawForm(forms.Form):
    """Why a run is taken back."""

    fields: dict[str, Any]

    reason = forms.CharField(
        label="What was wrong with it?",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "The reason is empty. Say in a sentence what was wrong.",
            "max_length": "The reason has %(show_value)s characters. Shorten it to %(limit_value)s.",
        },
    )


def _has_percent(typed: str) -> bool:
    return typed.strip().lower().endswith(PERCENT.names)
