"""What people typed, made into stored values; stored values, put into words; several people's answers, made into one.

Pure. `clean` is the only way from raw input to a `Value`. Values are JSON: a code, a list of codes, a number (an int
where it is whole), a text, or {"name": str, "higher_is_better": bool}.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, NamedTuple

from portfolio.questionnaire.spec import Kind, Question, Unit, Value

_LONGEST_NUMBER = 80
_HEAD = re.compile(
    r"(?P<sign>[+-]?) ?(?P<digits>[.,]?\d(?:[\d., ']*\d)?)(?P<exponent>e[+-]?\d{1,3})?(?P<tail>.*)", re.I
)
_ABOUT = re.compile(r"(?:~|≈|about |approx\.? |circa |ca\.? )\s*", re.I)
_MULTIPLIERS = {
    "k": 1_000,
    "thousand": 1_000,
    "m": 1_000_000,
    "mn": 1_000_000,
    "mio": 1_000_000,
    "million": 1_000_000,
    "b": 1_000_000_000,
    "bn": 1_000_000_000,
    "billion": 1_000_000_000,
}
# Marks that turn the direction of all that follows: a metric's name stands in the middle of sentences.
_TURNING = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
_TRUE, _FALSE = {"true", "yes", "higher", "on", "1"}, {"false", "no", "lower", "0"}
# Metrics given by name alone: what is counted tells the direction, unless another word turns it round.
_SAID = re.compile(r"[\s,;:(\[–-]*\b(?P<way>higher|lower) is better\b[)\].]*", re.I)
_LESS_IS_BETTER = re.compile(
    r"\b(errors?|mistakes?|wer|cer|ter|mae|mse|rmse|loss|perplexity|latency|delay|distance|costs?|time|seconds|ms"
    r"|hallucinations?|complaints?|escalations?|rejections?|rejected|missed|failures?|violations?|defects?|rework)\b",
    re.I,
)
_MORE_IS_BETTER = re.compile(
    r"\b(free|without|no|saved|savings?|avoided|reduction|reduced|detection|detected|found|accuracy|precision|recall"
    r"|f1|match|correct|in time|on time|within)\b",
    re.I,
)


class AnswerError(ValueError):
    """An answer that cannot be stored; the message tells the person what is wrong and what to do."""

    def __init__(self, question_id: str, message: str) -> None:
        super().__init__(message)
        self.question_id = question_id


@dataclass(frozen=True)
class PersonalAnswer:
    """What one person says now. `value` None without `dont_know` is a withdrawn answer."""

    respondent: int
    value: Value = None
    dont_know: bool = False


class Effective(NamedTuple):
    answers: dict[str, Value]
    disputed: dict[str, tuple[Value, ...]]  # the distinct sides, by respondent
    open_dont_know: tuple[str, ...]  # asked, and everybody who spoke does not know


def clean(question: Question, raw: Any) -> Value:
    """The stored value for what was typed, sent or imported. Raises AnswerError with the question's own message.

    Numbers may be written as 12k, 1.5M, 30 %, 1,234.5, 1.234,5, or in one of the question's units (2 pages, 300 ms).
    Multiple choice is stored in the questionnaire's order, a ranking in the person's.
    """
    if question.kind is Kind.CHOICE:
        return _choice(question, raw)
    if question.kind in (Kind.MULTIPLE, Kind.RANKED):
        return _codes(question, raw)
    if question.kind is Kind.NUMBER:
        return _number(question, raw)
    if question.kind is Kind.METRIC:
        return _metric(question, raw)
    return _free_text(question, raw)


def describe(question: Question, value: Value) -> str:
    """The value in words: labels, figures with units, "None of these"; "Not answered" for None. Never raises."""
    if value is None:
        return "Not answered"
    labels = {option.code: option.label for option in question.options}
    if question.kind is Kind.CHOICE and isinstance(value, str):
        return labels.get(value, value)
    if question.kind in (Kind.MULTIPLE, Kind.RANKED) and isinstance(value, list | tuple):
        words = [labels.get(code, str(code)) for code in value]
        if question.kind is Kind.RANKED and len(words) > 1:
            words = [f"{place}. {word}" for place, word in enumerate(words, 1)]
        return "; ".join(words) or "None of these"
    if question.kind is Kind.NUMBER and isinstance(value, int | float):
        return _figure_in_words(question, value)
    if question.kind is Kind.METRIC and isinstance(value, Mapping):
        direction = "higher is better" if value.get("higher_is_better") else "lower is better"
        return f"{value.get('name', '')}, {direction}"
    return str(value)


def as_input(question: Question, value: Value) -> str:
    """A number or text as it stands in its form field: `clean` of it gives the same value back. "" for None."""
    if value is None:
        return ""
    if question.kind is Kind.NUMBER and isinstance(value, float):
        written = repr(value)
        # Three decimals alone could be read as thousands: 1.250 is written 1.2500.
        return f"{written}0" if re.fullmatch(r"-?\d{1,3}\.\d{3}", written) else written
    return str(value)


def effective_answers(per_person: Mapping[str, Sequence[PersonalAnswer]], settled: Mapping[str, Value]) -> Effective:
    """One answer per question from everybody's, as (answers, disputed, open_dont_know).

    Equal values count once, different ones are disputed, somebody's value overrules another's "don't know", and a
    settled value wins over all; a settled None leaves the question open.
    """
    answers: dict[str, Value] = {}
    disputed: dict[str, tuple[Value, ...]] = {}
    unknown: list[str] = []
    for question_id, people in per_person.items():
        if question_id in settled:
            continue
        sides = _sides(people)
        if len(sides) > 1:
            disputed[question_id] = sides
        elif sides:
            answers[question_id] = sides[0]
        elif any(person.dont_know for person in people):
            unknown.append(question_id)
    for question_id, value in settled.items():
        if value is None:
            unknown.append(question_id)
        else:
            answers[question_id] = value
    return Effective(answers, disputed, tuple(unknown))


def _sides(people: Sequence[PersonalAnswer]) -> tuple[Value, ...]:
    sides: list[Value] = []
    for person in sorted(people, key=lambda p: p.respondent):
        if person.value is not None and not person.dont_know and person.value not in sides:
            sides.append(person.value)
    return tuple(sides)


def _choice(question: Question, raw: Any) -> str:
    if isinstance(raw, list | tuple | set | dict):
        raise AnswerError(question.id, "Choose one answer only: several were sent.")
    code = raw.strip() if isinstance(raw, str) else raw
    if code is None or code == "":
        raise AnswerError(question.id, "Choose one of the answers, or “Don’t know yet”.")
    _check_code(question, code)
    return str(code)


def _codes(question: Question, raw: Any) -> list[str]:
    if not isinstance(raw, list | tuple):
        raise AnswerError(question.id, f"{_quoted(raw)} is not a list: send the chosen codes as a list, [] for none.")
    codes = [code.strip() if isinstance(code, str) else code for code in raw]
    for code in codes:
        _check_code(question, code)
        if codes.count(code) > 1:
            raise AnswerError(question.id, f"“{_label(question, code)}” was chosen twice: choose it once.")
    if question.kind is Kind.RANKED:
        return codes
    order = [option.code for option in question.options]
    return sorted(codes, key=order.index)


def _check_code(question: Question, code: Any) -> None:
    codes = [option.code for option in question.options]
    if not isinstance(code, str) or code not in codes:
        raise AnswerError(question.id, f"{_quoted(code)} is not one of the answers: choose from {', '.join(codes)}.")


def _label(question: Question, code: str) -> str:
    return next(option.label for option in question.options if option.code == code)


def _free_text(question: Question, raw: Any) -> str:
    if not isinstance(raw, str):
        raise AnswerError(question.id, f"{_quoted(raw)} is not a text: write words.")
    text = _visible(raw)
    if not text:
        raise AnswerError(question.id, "Write a sentence or two, or choose “Don’t know yet”.")
    return _short_enough(question, text)


def _metric(question: Question, raw: Any) -> dict[str, object]:
    """Name and direction. A name alone, as imports and files may give it, tells the direction by what it counts."""
    if isinstance(raw, str):
        said = _SAID.search(raw)
        raw = {"name": _SAID.sub("", raw), "higher_is_better": said["way"]} if said else {"name": raw}
    if not isinstance(raw, Mapping):
        raise AnswerError(question.id, "Give the metric’s name and say whether higher is better.")
    unknown = sorted(str(key) for key in raw if key not in ("name", "higher_is_better"))
    if unknown:
        raise AnswerError(
            question.id, f"{_quoted(unknown[0])} does not belong to a metric: give name and direction only."
        )
    name = raw.get("name")
    if not isinstance(name, str) or not _visible(name.translate(_TURNING)):
        raise AnswerError(question.id, "Give the metric a name, for example “exact match per field”.")
    direction = raw.get("higher_is_better", not _counts_what_goes_wrong(name))
    word = direction.strip().lower() if isinstance(direction, str) else ""
    if direction is True or word in _TRUE:
        higher = True
    elif direction is False or word in _FALSE:
        higher = False
    else:
        raise AnswerError(question.id, "Say whether higher or lower values of the metric are better.")
    one_line = " ".join(_visible(name.translate(_TURNING)).split())
    return {"name": _short_enough(question, one_line), "higher_is_better": higher}


def _counts_what_goes_wrong(name: str) -> bool:
    return bool(_LESS_IS_BETTER.search(name.replace("_", " "))) and not _MORE_IS_BETTER.search(name.replace("_", " "))


def _visible(text: str) -> str:
    """Without NULs, control characters and lone surrogates; line breaks, tabs, direction marks and emoji stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def _short_enough(question: Question, text: str) -> str:
    if len(text) > question.max_length:
        over = len(text) - question.max_length
        raise AnswerError(
            question.id,
            f"This is {over:,} character{'' if over == 1 else 's'} too long: "
            f"{len(text):,} of at most {question.max_length:,}. "
            "Shorten it, or link to the document as evidence.",
        )
    return text


def _number(question: Question, raw: Any) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        raise _no_number(question, raw)
    try:
        exact, in_other_unit = _typed(question, raw) if isinstance(raw, str) else (Decimal(str(raw)), False)
        amount = float(exact)
    except (InvalidOperation, OverflowError, ValueError) as error:
        if isinstance(error, AnswerError):
            raise
        raise _no_number(question, raw) from error
    if not math.isfinite(amount):
        raise _no_number(question, raw)
    if question.integer and in_other_unit:
        exact = exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)
        amount = float(exact)
    _check_range(question, amount)
    if amount.is_integer():
        return int(exact)
    if question.integer:
        raise AnswerError(
            question.id, f"{_quoted(raw)} is not a whole number: write {math.floor(amount):,} or {math.ceil(amount):,}."
        )
    return amount


def _check_range(question: Question, amount: float) -> None:
    unit = f" {question.unit}" if question.unit else ""
    if question.minimum is not None and amount < question.minimum:
        least = _figure(question.minimum)
        raise AnswerError(question.id, f"{_figure(amount)} is too small: write at least {least}{unit}.")
    if question.maximum is not None and amount > question.maximum:
        most = _figure(question.maximum)
        raise AnswerError(question.id, f"{_figure(amount)} is too large: write at most {most}{unit}.")


def _typed(question: Question, raw: str) -> tuple[Decimal, bool]:
    """The amount in the question's unit, and whether it was written in a unit that had to be converted."""
    text = _plain(raw)
    if not text:
        raise AnswerError(question.id, f"Write a number, for example {_sample(question)}, or choose “Don’t know yet”.")
    match = _HEAD.fullmatch(_ABOUT.sub("", text, count=1) if _ABOUT.match(text) else text)
    if len(text) > _LONGEST_NUMBER or match is None:
        raise _no_number(question, raw)
    multiplier, factor = _tail(question, raw, match["tail"].strip().lower())
    scaled = multiplier != 1 or match["exponent"] is not None
    number = _separated(question, raw, match["digits"], may_be_thousands=not scaled)
    number *= Decimal(f"1{match['exponent'] or 'e0'}") * multiplier
    if match["sign"] == "-":
        number = -number
    if factor == 1:
        return number, False
    # Nine significant digits: factors such as 1/7 are written with twelve.
    return Decimal(f"{number * Decimal(str(factor)):.9g}"), True


def _plain(raw: str) -> str:
    """ASCII digits, simple blanks and signs for the many ways to write them."""
    characters = []
    for character in _visible(raw):
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            characters.append(str(digit))
        elif character.isspace() or unicodedata.category(character) == "Zs":
            characters.append(" ")
        else:
            characters.append({"−": "-", "’": "'", "٫": ".", "٬": ","}.get(character, character))
    return re.sub(r" +", " ", "".join(characters)).strip()


def _tail(question: Question, raw: str, tail: str) -> tuple[int, float]:
    """The multiplier and the unit's factor behind the digits."""
    factors = {question.unit.lower(): 1.0} if question.unit else {}
    factors |= {name: unit.factor for unit in question.units for name in unit.names}
    if not tail:
        return 1, 1.0
    if tail in factors:
        return 1, factors[tail]
    word, _, rest = tail.partition(" ")
    if word in _MULTIPLIERS and (not rest or rest in factors):
        return _MULTIPLIERS[word], factors.get(rest, 1.0)
    if tail == "%":
        raise AnswerError(
            question.id,
            f"{_quoted(raw)}: leave out the % sign and write the plain number, in the same scale everywhere.",
        )
    raise _no_number(question, raw)


def _separated(question: Question, raw: str, digits: str, *, may_be_thousands: bool) -> Decimal:
    """Digits with separators as a number: the last of two kinds is the decimal mark, a repeated one groups thousands.

    A single comma before three digits groups thousands, as the product itself writes 12,400; a single point there is
    refused unless only one reading makes sense.
    """
    grouped = re.sub(r"(?<=\d)[ '](?=\d{3}(?!\d))", "", digits)
    if re.search(r"[ ']", grouped):
        raise _no_number(question, raw)
    points, commas = grouped.count("."), grouped.count(",")
    if points and commas:
        decimal = "." if grouped.rfind(".") > grouped.rfind(",") else ","
        group = "," if decimal == "." else "."
        whole, _, fraction = grouped.partition(decimal)
        if decimal in fraction or not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+", whole):
            raise _no_number(question, raw)
        return Decimal(f"{whole.replace(group, '')}.{fraction or '0'}")
    mark = "." if points else ","
    if points + commas > 1:
        if not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+", grouped):
            raise _no_number(question, raw)
        return Decimal(grouped.replace(mark, ""))
    looks_grouped = grouped == digits and may_be_thousands and re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", grouped)
    if looks_grouped and (mark == "," or question.integer):
        return Decimal(grouped.replace(mark, ""))
    if looks_grouped:
        whole, _, fraction = grouped.partition(".")
        raise AnswerError(
            question.id, f"{_quoted(raw)} can be read in two ways: write {whole}{fraction} or {whole}.{fraction}0."
        )
    return Decimal(grouped.replace(",", "."))


def _no_number(question: Question, raw: Any) -> AnswerError:
    text = raw if isinstance(raw, str) else ""
    if re.search(r"\d\s*(?:-|–|—|to|\.\.|…)\s*\d", text):
        message = f"{_quoted(raw)} is a range: write its middle and put the range into the comment."
    else:
        of = f" of {question.unit}" if question.unit[:1].isalpha() and not question.unit.startswith("times") else ""
        message = f"{_quoted(raw)} is not a number{of}: write one number, for example {_sample(question)}."
    return AnswerError(question.id, message)


def _sample(question: Question) -> str:
    """A number within bounds, and one in another unit where there is one: "1,200 or 3 pages"."""
    lowest, highest = question.minimum or 0, question.maximum or math.inf
    own = next((n for n in (1_200, 12, 0.5) if lowest <= n <= highest), lowest)
    others = [f"3 {unit.names[0]}" for unit in question.units if unit.factor != 1][:1]
    return " or ".join([_figure(own), *others])


def _quoted(raw: Any) -> str:
    try:
        text = raw if isinstance(raw, str) else repr(raw)
    except ValueError:  # Python refuses to write out integers of thousands of digits
        return "This"
    text = " ".join(_visible(text).split())
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def _figure(value: float) -> str:
    """12,400 · 0.25 · 1.5: grouped, without a tail of zeros."""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{Decimal(repr(float(value))):,f}"


def _rounded(value: float) -> float:
    """Four significant digits below a thousand: enough to read, not to store."""
    return float(f"{value:.4g}") if abs(value) < 1_000 else value


def _figure_in_words(question: Question, value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    unit = question.unit if value != 1 else _singular(question, question.unit)
    figure = f"{_figure(_rounded(value))} {unit}".strip()
    if not question.units or value <= 0:
        return figure
    fitting = [u for u in (*question.units, Unit(names=("",), factor=1)) if u.factor <= value]
    best = max(fitting, key=lambda u: u.factor, default=None)
    if best is None or best.factor == 1:
        return figure
    amount = float(f"{value / best.factor:.2g}") if value / best.factor < 100 else float(round(value / best.factor))
    exact = not best.approximate and math.isclose(amount * best.factor, value, rel_tol=1e-9)
    name = best.names[0] if amount != 1 else _singular(question, best.names[0])
    return f"{figure} ({'' if exact else 'about '}{_figure(amount)} {name})"


def _singular(question: Question, plural: str) -> str:
    """The plural's own singular if the question knows it: "pages" → "page", "requests a day" → "request a day"."""
    first, blank, rest = plural.partition(" ")
    known = {name for unit in question.units for name in unit.names}
    if first.endswith("s") and first[:-1].lower() in known:
        return f"{first[:-1]}{blank}{rest}"
    return plural
