"""Prices as people write them: 1.2, 1,2, $0.10, 0,95 EUR, 12 %. Pure."""

from __future__ import annotations

import re

SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_AMOUNT = re.compile(r"(?P<before>[$€£¥₹]|[A-Za-z]{3})?(?P<digits>\d[\d.,']*)(?P<after>[$€£¥₹%]|[A-Za-z]{3})?")


def read_number(text: str) -> float:
    """1.2, 1,2, 0,125, 1,200, 1.200,50 or 1'200.50. Raises ValueError saying how to write it."""
    digits = text.strip().replace("'", "").replace("’", "").replace("\u00a0", "").replace(" ", "")
    if not re.fullmatch(r"-?\d+([.,]\d+)*", digits):
        raise ValueError(f"“{text.strip()[:40]}” is not a number; write it like 1.2 or 1,2")
    mark = max(digits.rfind("."), digits.rfind(","))
    if mark < 0:
        return float(digits)
    sign, group = digits[mark], "," if digits[mark] == "." else "."
    whole, fraction = digits[:mark], digits[mark + 1 :]
    if digits.count(sign) > 1 or (sign == "," and group not in digits and _is_grouped(whole, fraction)):
        return _grouped(text, digits, sign)
    return float(f"{_without(text, whole, group)}.{fraction}")


def read_terms(text: str) -> tuple[float | None, float | None, str]:
    """Amount, discount in per cent, currency where one is written: "$0.10", "1,2 EUR", "12 %"; one of the first two.

    Raises ValueError saying how to write it.
    """
    plain = re.sub(r"\s", "", text.replace("−", "-")).lstrip("+")
    is_less = plain.startswith("-")
    found = _AMOUNT.fullmatch(plain.removeprefix("-"))
    if found is None:
        raise ValueError(
            f"“{text.strip()[:40]}” is no price; write it like 1.2, $0.10 or 0,95 EUR, or a discount like 12 %"
        )
    number = read_number(found["digits"])
    if found["after"] == "%":
        return None, number, ""
    if is_less:
        raise ValueError(f"“{text.strip()[:40]}” is below zero; write what is paid, or a discount like 12 %")
    sign = found["before"] or found["after"] or ""
    return number, None, SIGNS.get(sign, sign.upper())


def _is_grouped(whole: str, fraction: str) -> bool:
    """1,200 groups thousands as the product itself writes it; 0,125 does not."""
    return len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")


def _grouped(text: str, digits: str, sign: str) -> float:
    if not re.fullmatch(rf"\d{{1,3}}({re.escape(sign)}\d{{3}})+", digits):
        raise ValueError(f"“{text.strip()[:40]}” is not a number; write it like 1.2 or 1,2")
    return float(digits.replace(sign, ""))


def _without(text: str, whole: str, group: str) -> str:
    if group in whole and not re.fullmatch(rf"\d{{1,3}}({re.escape(group)}\d{{3}})+", whole):
        raise ValueError(f"“{text.strip()[:40]}” is not a number; write it like 1.2 or 1,2")
    return whole.replace(group, "")
