"""How figures are written: money, counts, shares, bands. Pure; the page, the charts and the PDF use the same words.

Money is US dollars unless a currency is named. Short forms round to three significant digits; an unknown figure is an
en dash, never a zero.
"""

from __future__ import annotations

import math
from decimal import Decimal

Number = float | int | Decimal
UNKNOWN = "–"
MINUS = "−"
SPACE = "\u00a0"  # keeps a number and its sign on one line
# A sign where everybody reads it as this currency, else the code and a space.
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}
STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def sign_of(currency: str) -> str:
    """What stands before an amount: "€", or "CHF" and a space."""
    return SIGNS.get(currency) or f"{currency}{SPACE}"


def money(value: Number | None, currency: str = "USD") -> str:
    """An amount in at most three significant digits: 12400 → "$12.4k", 1_200_000 → "$1.2M", 0.00027 → "$0.00027"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return _signed(value, sign_of(currency) + _short(abs(float(value)), cents=True))


def money_exact(value: Number | None, currency: str = "USD") -> str:
    """An amount to the cent: 12400 → "$12,400.00"; prices below a cent keep two significant digits."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = -value if value < 0 else value
    text = _small(float(size)) if 0 < size < 0.01 else f"{size:,.2f}"
    return _signed(value, sign_of(currency) + text)


def compact(value: Number | None) -> str:
    """A count in at most three significant digits: 240_000 → "240k"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return _signed(value, _short(abs(float(value)), cents=False))


def count(value: Number | None) -> str:
    """A count in full with thousands separated: 12400 → "12,400"; fractions keep up to two decimals."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = -value if value < 0 else value
    text = _small(float(size)) if 0 < size < 0.01 else _trim(f"{size:,.2f}")
    return _signed(value, text)


def plural(number: int, noun: str) -> str:
    """A count with its noun: "1 answer", "1,200 answers"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: Number | None) -> str:
    """A share of 1 as percent: 0.34 → "34 %". Never rounds to 0 % or 100 % what is neither."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    points = abs(float(share)) * 100
    if 0 < points < 0.1:
        text = "<0.1"
    elif 99.9 < points < 100:
        text = ">99.9"
    elif 0 < points < 1 or 99 < points < 100:
        text = _trim(f"{points:.1f}")
    else:
        text = f"{points:,.0f}"
    return _signed(share, f"{text}{SPACE}%")


def band(low: Number | None, high: Number | None, currency: str = "USD") -> str:
    """From low to high, the shared sign and magnitude once: "$41–96k", "$900–$1.2k", "$0–$12k"."""
    first, last = money(low, currency), money(high, currency)
    bare = last.removeprefix(sign_of(currency))
    if UNKNOWN in (first, last):
        return UNKNOWN
    if first == last:
        return first
    if low is not None and high is not None and low > 0 and high > 0 and first[-1] == last[-1] and first[-1].isalpha():
        return f"{first[:-1]}–{bare}"
    if low is not None and high is not None and low > 0 and high > 0 and first[-1].isdigit() and last[-1].isdigit():
        return f"{first}–{bare}"
    return f"{first} to {last}" if MINUS in first + last else f"{first}–{last}"


def short(value: Number | None, unit: str) -> str:
    """`value` as an axis writes it, by `unit`: "usd…" money, "share" of 1, "percent" points, anything else a count.

    "money-EUR" is money in that currency.
    """
    if (currency := currency_of(unit)) is not None:
        return money(value, currency)
    if unit == "share":
        return percent(value)
    if unit == "percent":
        return percent(None if value is None else float(value) / 100)
    return compact(value)


def exact(value: Number | None, unit: str) -> str:
    """`value` as a data table and a tooltip write it."""
    if (currency := currency_of(unit)) is not None:
        return money_exact(value, currency)
    if unit in ("share", "percent"):
        return short(value, unit)
    return count(value)


def span(low: Number, high: Number, unit: str) -> str:
    """From `low` to `high` as an axis writes them: "$41–96k", "10 %–60 %"."""
    if (currency := currency_of(unit)) is not None:
        return band(low, high, currency)
    return f"{short(low, unit)}–{short(high, unit)}"


def currency_of(unit: str) -> str | None:
    """The currency of a chart's unit, None where it is no money."""
    if unit.startswith("usd"):
        return "USD"
    return unit.removeprefix("money-") if unit.startswith("money-") else None


def in_sentence(label: str) -> str:
    """The label inside a sentence: names such as LoRA, RAG and QLoRA keep their capitals."""
    return label if label[1:2].isupper() or label.startswith("LoRA") else label[:1].lower() + label[1:]


def _signed(value: Number, text: str) -> str:
    return MINUS + text if value < 0 and any(digit in text for digit in "123456789") else text


def _short(size: float, *, cents: bool) -> str:
    size = float(f"{size:.3g}")  # first round, then choose the magnitude: 999,950 is 1M, not 1000k
    for step, letter in STEPS:
        if size >= step:
            return _trim(f"{size / step:.{_decimals(size / step)}f}") + letter
    if 0 < size < (0.1 if cents else 0.01):
        return _small(size)
    if cents and size < 100 and size != int(size):
        return f"{size:.2f}"
    return _trim(f"{size:.{_decimals(size)}f}")


def _decimals(size: float) -> int:
    """Decimals that show three significant digits of a number below 1,000."""
    return 0 if size >= 100 else 1 if size >= 10 else 2


def _small(size: float) -> str:
    """Two significant digits without an exponent: 0.00027."""
    return _trim(f"{size:.{1 - math.floor(math.log10(size))}f}")


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
