"""Words of the register's pages: how long ago, what a layer's need is called, figures that open how they came about."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from costing.charts.format import money, percent
from portfolio.changes import NEED_LABELS
from portfolio.questionnaire.outcome import Need
from portfolio.views.figure_links import figure_link

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


SHARES = frozenset({"cheapest"})  # figures that are shares, not amounts


@register.simple_tag(takes_context=True)
def how(context: Context, figure: str, value: float | str | None, about: str, option: str) -> str:
    """A figure that opens how it came about; plain text where the page explains nothing (no `figures_of`)."""
    number = None if value is None or value == "" else float(value)  # a template’s missing value is ""
    text = percent(number) if figure in SHARES else money(number)
    pk = context.get("figures_of")
    if pk is None or number is None:
        return text
    link = figure_link(pk, figure, option, context.get("revision_query") or "")
    return format_html('<a class="how" href="{}" aria-label="{}: how {} came about">{}</a>', link, text, about, text)


@register.simple_tag(takes_context=True)
def how_link(context: Context, figure: str, words: str, option: str) -> str:
    """Words that open how a figure came about."""
    link = figure_link(context["figures_of"], figure, option, context.get("revision_query") or "")
    return format_html('<a class="how" href="{}">{}</a>', link, words)
