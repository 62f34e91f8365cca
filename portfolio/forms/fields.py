"""What several forms share."""

from __future__ import annotations

from django.http import HttpRequest, QueryDict

DAY_IS_OVER = "This day is over. Choose today or a later day."


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, also when that is nothing; None when the form is only opened."""
    return request.POST if request.method == "POST" else None


def sentence(error: ValueError) -> str:
    """What a pure core found wrong, as a page says it: "amount is 0" → "Amount is 0."."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?")) else ".")
