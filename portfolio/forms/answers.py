"""Forms of the questionnaire: an answer, a settled dispute, a reopened one; each says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.http import QueryDict

from portfolio.actions.answers import COMMENT_LENGTH
from portfolio.models import Answer, AnswerRevision
from portfolio.questionnaire.answers import AnswerError, clean
from portfolio.questionnaire.spec import Kind, Question, Value

URL_LENGTH = 2_000
DONT_KNOW = "?"  # what the last option of a choice sends; no code of the questionnaire looks like it


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


def _revision(text: str) -> int | None:
    """The revision a page showed, 0 for "nothing said yet"; None when it does not say."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
