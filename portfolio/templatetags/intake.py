"""What a search found, marked in the text it was found in."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portfolio.questionnaire.intake import spans

register = template.Library()


@register.filter
def found(text: str, words: Sequence[str] | str | None) -> SafeString | str:
    """`text` with every occurrence of `words` in `<mark>`; without words the text itself, escaped by the template."""
    places = spans(tuple(words), text) if words and text else ()
    if not places:
        return text
    ends = [0, *(end for _, end in places)]
    marked = format_html_join(
        "", "{}<mark>{}</mark>", ((text[ends[n] : start], text[start:end]) for n, (start, end) in enumerate(places))
    )
    return format_html("{}{}", marked, text[ends[-1] :])
