"""Words of the register's pages: how long ago, what a layer's need is called."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

from portfolio.changes import NEED_LABELS
from portfolio.questionnaire.outcome import Need

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> str:
    """ "just now", "2 minutes ago", "3 months ago"; empty without a moment."""
    if moment is None:
        return ""
    now = timezone.now()
    if (now - moment).total_seconds() < 60:
        return "just now"
    return f"{timesince(moment, now, depth=1)} ago"


@register.filter
def need_label(need: str) -> str:
    """A layer's need in words: `not_needed` → "Not needed"."""
    return NEED_LABELS[Need(need)]


@register.filter
def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
