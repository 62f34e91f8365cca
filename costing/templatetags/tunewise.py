"""Template tags and filters every page may use.

Figures: `money`, `money_exact`, `band`, `percent`, `count`, `precise`, `compact`. Signs: `icon`, `chip`, `status_chip`.
Drawings: `sparkband`, `chart`. Forms: `field`, `form_errors`. Frame: `nav_link`, `message_tone`, `message_icon`.
What people wrote: `bdi`, `isolated`, `sentence`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.contrib.messages import constants as levels
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm, BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Textarea
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from heroicons.templatetags.heroicons import heroicon_micro, heroicon_mini, heroicon_outline

from costing.charts import format as figures
from costing.charts import plotly, svg
from costing.charts.chart import Chart
from costing.charts.palette import PAGE
from costing.charts.scale import is_horizontal
from costing.engine.lineage.wording import figure
from organisations import audit
from organisations.models import AuditEvent

register = template.Library()

DRAWN_PX = {"narrow": 360, "half": 560, "wide": 1000}  # the widths charts are drawn at for pages without JavaScript

# key → (label, colour token); approaches, and layers under their own names
APPROACHES = {
    "prompting": ("Prompting", "prompting"),
    "rag": ("RAG", "rag"),
    "retrieval": ("Retrieval", "rag"),
    "fine_tuning": ("Fine-tuning", "tuned"),
    "hybrid": ("Hybrid", "hybrid"),
    "retrieval_on_tuned": ("Hybrid", "hybrid"),
}
# status → (label, tone, icon); the icon repeats the tone for those who do not see the colour
STATUSES = {
    "stop": ("Stop", "bad", "hand-raised"),
    "define_the_job": ("Define the job", "warn", "pencil-square"),
    "start_simple": ("Start simple", "info", "arrow-right"),
    "not_ready": ("Not ready", "warn", "exclamation-triangle"),
    "ready": ("Ready", "good", "check"),
    "idea": ("Idea", "", ""),
    "assessment": ("In assessment", "info", ""),
    "approved": ("Approved", "good", "check"),
    "building": ("Building", "info", ""),
    "live": ("Live", "good", "check"),
    "retired": ("Retired", "", ""),
    "queued": ("Waiting", "", "clock"),
    "running": ("Running", "info", "arrow-path"),
    "done": ("Done", "good", "check"),
    "failed": ("Failed", "bad", "x-mark"),
    "cancelled": ("Cancelled", "", "x-mark"),
    "known": ("known", "good", ""),
    "measured": ("measured", "info", ""),
    "assumed": ("assumed", "warn", ""),
    "required": ("Required", "good", "check"),
    "helpful": ("Helpful", "info", ""),
    "not_needed": ("Not needed", "", ""),
    "ruled_out": ("Ruled out", "bad", "x-mark"),
    "blocker": ("Blocker", "bad", "x-mark"),
    "warning": ("Warning", "warn", "exclamation-triangle"),
    "unconfirmed": ("Not confirmed", "", "question-mark-circle"),
    "now": ("Now", "info", "arrow-right"),
    "later": ("Later", "", ""),
    "not_earned": ("Not earned", "", ""),
    "open": ("Open", "info", ""),
    "accepted": ("Accepted", "good", "check"),
    "expired": ("Expired", "warn", "clock"),
    "revoked": ("Revoked", "", "x-mark"),
    "disputed": ("Two answers", "warn", "exclamation-triangle"),
}
LONGEST_SAID = 320  # characters of one thing in a line of the log: a title fits
LONGEST_WORD = 24  # characters that fit beside others on a phone
TONES = {levels.SUCCESS: "good", levels.WARNING: "warn", levels.ERROR: "bad", levels.INFO: "info"}
TONE_ICONS = {"good": "check-circle", "warn": "exclamation-triangle", "bad": "x-circle"}


def number(value: Any) -> Decimal | float | int | None:
    """`value` as a number, None when there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, (int, float, Decimal)):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number; give the filter a figure or None") from error


@register.filter
def money(value: Any) -> str:
    return figures.money(number(value))


@register.filter
def money_exact(value: Any) -> str:
    return figures.money_exact(number(value))


@register.filter
def band(low: Any, high: Any) -> str:
    return figures.band(number(low), number(high))


@register.filter
def percent(share: Any) -> str:
    return figures.percent(number(share))


@register.filter
def count(value: Any) -> str:
    return figures.count(number(value))


@register.filter
def precise(value: Any) -> str:
    """A price or a constant with four significant digits: 0.075 stays 0.075."""
    found = number(value)
    return figures.UNKNOWN if found is None else figure(float(found))


@register.filter
def compact(value: Any) -> str:
    return figures.compact(number(value))


@register.filter
def bdi(text: Any) -> SafeString:
    """What somebody wrote, inside a sentence of ours: whichever way it runs, the words around it stay where they are.

    A `<bdi>` also breaks anywhere. Plain ASCII in short words runs and breaks like the sentence and needs no element.
    """
    written = "" if text is None else str(text)
    if written.isascii() and all(len(word) <= LONGEST_WORD for word in written.split()):
        return conditional_escape(text if text is not None else "")
    return format_html("<bdi>{}</bdi>", written)


@register.filter
def isolated(text: Any) -> str:
    """The same where no element may stand, as in the page's title: between invisible marks that end what it began."""
    written = str(text)
    return written if written.isascii() else f"\u2068{written}\u2069"


@register.filter
def sentence(event: AuditEvent, here: str = "") -> SafeString:
    """An event of the log in a line; what is long in it is cut, as the log keeps it whole. `here`: the use case's title
    on its own page, which need not say where it happened."""
    said = audit.describe(event, mark=lambda text: bdi(shortened(text, LONGEST_SAID)))
    for place in (f" in “{bdi(here)}”", f" of “{bdi(here)}”") if here else ():
        said = said.replace(place, "")
    return mark_safe(said)


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


@register.filter
def ticked(text: str) -> SafeString:
    """Plain text in which `names` between backticks are set as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a lone backtick is one
        return conditional_escape(text)
    return format_html_join("", "{}", ((_code(part) if index % 2 else part,) for index, part in enumerate(parts)))


def _code(text: str) -> SafeString:
    return format_html("<code>{}</code>", text)


@register.simple_tag
def icon(name: str, size: int = 20, label: str = "") -> SafeString:
    """An icon of 14–16 px from the micro set, 20 px from the mini set, larger from the outline set.

    Without `label` it is hidden from screen readers, as the words beside it say the same.
    """
    render = heroicon_micro if size <= 16 else heroicon_mini if size <= 20 else heroicon_outline
    said = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    return mark_safe(render(str(name), size=size, **{"class": "icon", **said}))


@register.simple_tag
def chip(approach: str, label: str = "") -> SafeString:
    """The approach with its colour; a layer too. `label` replaces the name, e.g. "RAG on own GPUs"."""
    if not approach:
        return format_html('<span class="chip">{}</span>', label or "Not yet known")
    name, token = APPROACHES.get(str(approach), (str(approach).replace("_", " ").capitalize(), "line-strong"))
    return format_html('<span class="chip"><i style="--c:var(--{})"></i>{}</span>', token, label or name)


@register.filter
def colour(approach: str) -> str:
    """The colour token of an approach, for style="--c:var(--{{ approach|colour }})"."""
    return APPROACHES.get(str(approach), ("", "line-strong"))[1]


@register.filter
def approach_label(approach: str) -> str:
    return APPROACHES.get(str(approach), (str(approach).replace("_", " ").capitalize(), ""))[0]


@register.simple_tag
def status_chip(status: str, label: str = "") -> SafeString:
    """A state in words, a tone and an icon: of a recommendation, a stage, a job, an input, a layer, a blocker."""
    if not status:
        return format_html('<span class="chip">{}</span>', label) if label else SafeString(figures.UNKNOWN)
    name, tone, sign = STATUSES.get(str(status), (str(status).replace("_", " ").capitalize(), "", ""))
    picture = icon(sign, 16) if sign else ""
    return format_html('<span class="chip {}">{}{}</span>', tone, picture, label or name)


@register.simple_tag
def sparkband(p10: Any, p50: Any, p90: Any, maximum: Any, approach: str = "") -> SafeString:
    """A small P10–P50–P90 drawing on the scale 0 … `maximum`; an en dash when there are no figures yet."""
    low, middle, high, top = (number(value) for value in (p10, p50, p90, maximum))
    if low is None or middle is None or high is None or not top:
        return SafeString(figures.UNKNOWN)
    ink = f"var(--{colour(approach)})" if approach else "var(--ink-2)"
    drawn = svg.sparkband(float(low), float(middle), float(high), float(top), colour=ink, ground="var(--line)")
    return mark_safe(drawn)


@register.inclusion_tag("_components/chart.html", name="chart", takes_context=True)
def draw_chart(context: Context, drawn: Chart | None) -> dict[str, Any]:
    """A chart with title, reading, drawing, data table and downloads: all that stands inside a card.

    The page may say where each chart is explained: `how_of`, chart key → address.
    """
    if drawn is None:
        return {"chart": None}
    header, rows = drawn.table()
    heights = {name: round(svg.natural_height(drawn, width)) for name, width in DRAWN_PX.items()}
    return {
        "chart": drawn,
        "how": (context.get("how_of") or {}).get(drawn.key, ""),
        "data_id": f"chart-{drawn.key}-data",
        "figure": plotly.figure(drawn),
        # words in the drawings are escaped by svg
        "drawings": [(name, mark_safe(_drawing(drawn, width, heights[name]))) for name, width in DRAWN_PX.items()],
        "height": heights["wide"],
        "narrow_height": heights["narrow"],
        "legend": [] if is_horizontal(drawn) else _legend(drawn),
        "header": header,
        "rows": [(_row_name(row[0]), [_cell(value, drawn.unit) for value in row[1:]]) for row in rows],
    }


def _drawing(drawn: Chart, width: float, height: float) -> str:
    return svg.draw(drawn, width, height, palette=PAGE, font=svg.PAGE_FONT)


def _legend(drawn: Chart) -> list[tuple[str, str, str]]:
    names = svg.named(drawn)
    return [(series.mark.value, series.colour, label) for series, label in names] if len(names) > 1 else []


def _row_name(value: str | float | None) -> str:
    return figures.count(value) if isinstance(value, (int, float)) else str(value)


def _cell(value: str | float | None, unit: str) -> tuple[str, str]:
    """What a data cell holds for the CSV, and as it is shown."""
    if isinstance(value, (int, float)):
        return repr(value), figures.exact(value, unit)
    return "", value or ""


@register.inclusion_tag("_components/nav_link.html", takes_context=True)
def nav_link(context: Context, name: str, label: str, count: int | None = None) -> dict[str, Any]:
    """A link of the main navigation, marked when the page lies under it; nothing when the address does not exist."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        return {"url": ""}
    path = context["request"].path if "request" in context else ""
    here = "page" if path == url else "true" if url != "/" and path.startswith(url) else ""
    return {"url": url, "label": label, "count": count, "here": here}


@register.inclusion_tag("_components/field.html")
def field(bound: BoundField, unit: str = "", before: str = "", label: str = "") -> dict[str, Any]:
    """A form field with label, help, error and, inside the field, a `unit` after or a sign `before` it.

    Radio buttons and several checkboxes become option cards; `examples` on the form field (value → words) are shown
    under each. Django ties help and error to the input (aria-describedby, aria-invalid).
    """
    widget = bound.field.widget
    kind = "plain"
    if isinstance(widget, Textarea) or getattr(widget, "input_type", "") == "text":
        widget.attrs.setdefault("dir", "auto")  # people write from right to left, too
    if isinstance(widget, (RadioSelect, CheckboxSelectMultiple)):
        kind = "cards"
    elif isinstance(widget, CheckboxInput):
        kind = "check"
    examples = getattr(bound.field, "examples", {})
    options = [(option, examples.get(str(option.data["value"]), "")) for option in bound] if kind == "cards" else []
    return {
        "field": bound,
        "kind": kind,
        "options": options,
        "unit": unit,
        "before": before,
        "label": label or bound.label,
    }


@register.inclusion_tag("_components/errors.html")
def form_errors(*forms: BaseForm) -> dict[str, Any]:
    """What is wrong in these forms, each with a link to its field; nothing when all is well."""
    rows = []
    for form in forms:
        for name, errors in form.errors.items():
            bound = form[name] if name in form.fields else None
            target = (bound.id_for_label or f"id_{bound.html_name}") if bound and not bound.is_hidden else ""
            rows += [(target, bound.label if bound else "", message) for message in errors]
    return {"rows": rows}


@register.simple_tag
def message_tone(message: Message) -> str:
    return TONES.get(message.level, "")


@register.simple_tag
def message_icon(message: Message) -> SafeString:
    return icon(TONE_ICONS.get(TONES.get(message.level, ""), "information-circle"))
