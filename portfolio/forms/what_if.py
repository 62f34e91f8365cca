"""A what-if as it stands in an address: which inputs are put where, what is chosen, which option is looked at.

Everything has a default, so an address names only what differs, and can be shared, reloaded and edited by hand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms

from costing.public import Input, input_bounds, median_of
from portfolio.forms.runs import PERCENT
from portfolio.questionnaire.answers import AnswerError, as_input, clean
from portfolio.questionnaire.spec import Kind, Question
from portfolio.scenarios import NAME_LENGTH
from portfolio.what_if import SWITCHES, Base, changed_choices

MORE = "more"  # inputs that were asked for beside the usual ones
OPTION = "option"
LONGEST = 80  # characters of a number
LARGE = 1e4


@dataclass(frozen=True)
class Address:
    """What an address says. `typed` holds what does not stand as in the base, `errors` what of it cannot be read."""

    option: str = ""
    moves: Mapping[str, float] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The address again, without what is as in the base."""
        named = [(OPTION, self.option)] if self.option else []
        return [*named, *self.typed.items(), *self.choices.items(), *((MORE, key) for key in self.more)]


class SaveForm(forms.Form):
    """The name of a what-if that is to be kept."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": "The name is empty. Say in a few words what this scenario supposes.",
            "max_length": "The name has %(show_value)s characters; shorten it to %(limit_value)s.",
        },
    )


def read_address(query: Mapping[str, Any], base: Base) -> Address:
    """What `query` (request.GET or .POST) says on top of the base. What nobody knows is left out; nothing raises."""
    moves, typed, errors = {}, {}, {}
    for key, one in base.inputs.items():
        text = str(query.get(key, "")).strip()[:LONGEST]
        if not text or text == text_of(one):
            continue
        typed[key] = text
        try:
            moves[key] = read_number(one, text)
        except ValueError as error:
            errors[key] = str(error)
    option = str(query.get(OPTION, ""))
    feasible = {o.key for o in base.preview.options}
    listed = query.getlist(MORE) if hasattr(query, "getlist") else query.get(MORE, ())
    chosen = {name: str(query[name])[:200] for name in SWITCHES if query.get(name)}
    return Address(
        option=option if option in feasible else "",
        moves=moves,
        choices=changed_choices(base, chosen),
        typed=typed,
        errors=errors,
        more=tuple(dict.fromkeys(key for key in listed if key in base.inputs)),
    )


def text_of(one: Input, value: float | None = None) -> str:
    """The input's middle (or `value`) as it stands in its field: three significant digits, four of large ones."""
    value = median_of(one) if value is None else value
    value = 100 * value if one.unit == "share" else value
    shown = float(f"{value:.3g}" if abs(value) < LARGE else f"{value:.4g}")
    return as_input(_question(one), int(shown) if shown.is_integer() else shown)


def read_number(one: Input, text: str) -> float:
    """The value of an input for what was typed: 12k, 1.5M, 30 %. Raises AnswerError saying what is wrong."""
    question = _question(one)
    try:
        number = float(clean(question, text))
    except AnswerError as error:
        raise AnswerError(one.key, f"{one.label}: {error}") from error
    return number / 100 if one.unit == "share" else number


def _question(one: Input) -> Question:
    """The input as the questionnaire asks for numbers, which reads what people write."""
    least, most = input_bounds()[one.key]
    is_share = one.unit == "share"
    times = 100 if is_share else 1
    return Question(
        id=one.key,
        section="",
        text=one.label,
        why="",
        sources=(),
        kind=Kind.NUMBER,
        unit="%" if is_share or one.unit.startswith("percent") else one.unit,
        units=(PERCENT,) if is_share or one.unit.startswith("percent") else (),
        minimum=least * times,
        maximum=most * times if math.isfinite(most) else None,
    )
