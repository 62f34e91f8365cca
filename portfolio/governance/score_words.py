"""Measured values as people read them: shares in per cent, differences of shares in points. Pure."""

from __future__ import annotations

from decimal import Decimal

from portfolio.governance.scores import Interval, Score, interval_of

SPACE = "\u00a0"  # keeps a number and its sign on one line
MINUS = "−"


def amount(value: float, score: Score) -> str:
    """A value in the unit of `score`: "84 %" for a share, "3.9" for a mean."""
    return f"{figure(value, score)}{unit(score)}"


def figure(value: float, score: Score) -> str:
    """`amount` without its sign."""
    return _plain(value) if score.whole is None else _percent(100 * value / score.whole)


def unit(score: Score) -> str:
    return "" if score.whole is None else f"{SPACE}%"


def with_interval(score: Score) -> str:
    """ "84 % (78 to 88 %)"; the value alone where there is no interval."""
    around = interval_of(score)
    return amount(score.value, score) if around is None else f"{amount(score.value, score)} ({span(around, score)})"


def span(around: Interval, score: Score) -> str:
    """ "78 to 88 %"."""
    return f"{figure(around.low, score)} to {amount(around.high, score)}"


def in_words(score: Score) -> str:
    """ "84 % (78 to 88 %) of 200 cases"; a mean is one "over" its cases."""
    cases = f"{score.cases:,} case{'' if score.cases == 1 else 's'}"
    return f"{with_interval(score)} {'over' if score.whole is None else 'of'} {cases}"


def gap(value: float, of_shares: bool) -> str:
    """The size of a difference: "6 points", "1 point", "0.4"."""
    bare = bare_gap(abs(value), of_shares)
    return f"{bare} point{'' if bare == '1' else 's'}" if of_shares else bare


def bare_gap(value: float, of_shares: bool) -> str:
    """A difference as a number with its sign: "−4"; points of shares to one decimal."""
    if not of_shares:
        return _plain(value)
    text = _trimmed(f"{abs(value):.1f}")
    return f"{MINUS}{text}" if value < 0 and text != "0" else text


def _percent(value: float) -> str:
    """Per cent to one decimal; what is neither none nor all never reads 0 or 100."""
    text = _trimmed(f"{value:.1f}")
    if text == "0" and value > 0:
        return "<0.1"
    return ">99.9" if text == "100" and value < 100 else text


def _plain(value: float) -> str:
    """Four significant digits without an exponent; whole and grouped from a thousand on."""
    size = abs(value)
    text = f"{size:,.0f}" if size >= 1_000 else _trimmed(format(Decimal(f"{size:.4g}"), "f"))
    return f"{MINUS}{text}" if value < 0 and text != "0" else text


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
