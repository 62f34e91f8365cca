"""Cost scenarios of a use case side by side: which is cheapest and by how much, month by month, what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from costing.charts.comparison import COLOURS, Side, spent_chart
from costing.charts.costs import component_label
from costing.charts.format import band, compact, in_sentence, money, percent
from costing.public import COMPONENTS, Scenario, price_books, request_projection
from organisations.roles import Permission
from portfolio.comparison import MOST, Column, columns, default_revisions, differing_inputs, picks
from portfolio.gone import Gone, gone_choices
from portfolio.models import CostScenario, UseCase
from portfolio.permissions import SignedInRequest, get_use_case_for, membership_of
from portfolio.specs import lineage_of
from portfolio.views.what_if_figures import difference_words, most_likely

STOP_POLLING, UNPROCESSABLE = 286, 422
YEAR = 12


@dataclass(frozen=True)
class Line:
    """One row of the table of figures: a cell per column as (figure, note)."""

    label: str
    cells: tuple[tuple[str, str], ...]


@login_required
@require_GET
def compare(request: SignedInRequest, pk: int) -> HttpResponse:
    """`?revision=3&revision=7`, up to four; none named: the base and the named scenarios."""
    use_case = get_use_case_for(request.user, pk)
    revisions = _revisions(request.GET)
    is_too_many = len(revisions) > MOST
    chosen = revisions if revisions else default_revisions(use_case)
    found = [] if is_too_many else _columns(use_case, chosen)
    if request.htmx:
        return _progress(request, use_case, found)
    membership = membership_of(request.user, use_case)
    context = {
        "use_case": use_case,
        "may_project": membership.allows(Permission.PROJECT),
        "can_see_activity": membership.allows(Permission.SEE_ACTIVITY),
        "picks": picks(use_case, chosen),
        "chosen": chosen,
        "most": MOST,
        "is_too_many": is_too_many,
        "gone_rows": _gone(use_case, found, may_choose=membership.allows(Permission.PROJECT)),
        **_figures(found),
    }
    response = render(request, "portfolio/compare.html", context, status=UNPROCESSABLE if is_too_many else 200)
    patch_vary_headers(response, ["HX-Request"])
    return response


@login_required
@require_POST
def compare_compute(request: SignedInRequest, pk: int, revision: int) -> HttpResponse:
    """Have the figures of one revision computed."""
    use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
    scenario = get_object_or_404(Scenario, lineage=lineage_of(use_case), revision=revision)
    request_projection(scenario=scenario, by=request.user)
    messages.info(request, f"Revision {revision} is being computed.")
    shown = _revisions(request.POST) or [revision]
    query = "&".join(f"revision={number}" for number in shown[:MOST])
    return redirect(f"{reverse('costs-compare', args=[pk])}?{query}")


COMPARE_URLS = [
    path("use-cases/<int:pk>/costs/compare/", compare, name="costs-compare"),
    path("use-cases/<int:pk>/costs/compare/<int:revision>/compute/", compare_compute, name="costs-compare-compute"),
]


def _revisions(said: QueryDict) -> list[int]:
    """The revisions named, each once. What is no number is no revision: 404."""
    named = said.getlist("revision")
    if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in named):
        raise Http404("no such revision")
    return list(dict.fromkeys(int(text) for text in named))


def _columns(use_case: UseCase, revisions: Sequence[int]) -> list[Column]:
    try:
        return columns(use_case, revisions)
    except KeyError as error:
        raise Http404("no such revision") from error


def _gone(
    use_case: UseCase, found: Sequence[Column], *, may_choose: bool
) -> list[tuple[Column, tuple[Gone, ...], str]]:
    """The columns with choices that are no longer among the prices, and where others are chosen for what counts."""
    book = price_books.latest(use_case.organisation_id)
    gone = [
        (column, gone_choices(column.spec.choices, price_books.catalogue_with(book, column.spec.start)))
        for column in found
    ]
    without = [(column, rows) for column, rows in gone if rows]
    if not without:
        return []
    live = CostScenario.objects.filter(use_case=use_case, removed_at__isnull=True, current__isnull=False)
    queries = {
        one.current_id: "?group=choices" if one.is_base else f"?group=choices&scenario={one.pk}"
        for one in live.order_by("-is_base")
    }
    url = reverse("assumptions", args=[use_case.pk])
    return [
        (column, rows, url + queries[column.scenario.pk] if may_choose and column.scenario.pk in queries else "")
        for column, rows in without
    ]


def _progress(request: SignedInRequest, use_case: UseCase, found: list[Column]) -> HttpResponse:
    """Polled while something is being computed; then the whole page is fetched anew."""
    if any(column.is_waiting for column in found):
        may_project = membership_of(request.user, use_case).allows(Permission.PROJECT)
        context = {"use_case": use_case, "may_project": may_project, **_state(found)}
        return render(request, "portfolio/compare.html#waiting", context)
    response = HttpResponse(status=STOP_POLLING)
    response["HX-Refresh"] = "true"
    return response


def _state(found: Sequence[Column]) -> dict[str, Any]:
    return {
        "columns": found,
        "not_computed": [column for column in found if column.option is None],
        "is_waiting": any(column.is_waiting for column in found),
    }


def _figures(found: Sequence[Column]) -> dict[str, Any]:
    done = [column for column in found if column.option is not None]
    sides = [Side(column.name, column.spec.start, column.option) for column in done if column.option]
    return {
        **_state(found),
        "done": list(zip(done, COLOURS, strict=False)),
        "says": headline(done),
        "lines": [(line.label, _named(done, line.cells)) for line in (_lines(done) if done else ())],
        "chart": spent_chart(sides) if sides else None,
        "inputs": [(row.label, _named(found, row.cells)) for row in differing_inputs(found)] if len(found) > 1 else [],
        "is_unpaired": len(done) > 1 and any(column.draws is None for column in done),
    }


def _named(found: Sequence[Column], cells: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Each cell with its column's name, which a phone shows beside it."""
    return [(column.name, *cell) for column, cell in zip(found, cells, strict=True)]


def headline(done: Sequence[Column]) -> str:
    """Which scenario costs least in the first year, and by how much."""
    ranked = _ranked(done)
    if not ranked:
        return "Nothing to compare yet."
    first, first_usd = ranked[0], _p50_usd(ranked[0])
    words = f"“{first.name}” costs {money(first_usd)} in the first 12 months"
    if len(ranked) == 1:
        return f"{words}. Choose another one to compare it with."
    second = ranked[1]
    over, share = second.over(first), first.share_below(second)
    if over is None or share is None:
        gap = money(_p50_usd(second) - first_usd)
        return f"{words}, the least of {len(ranked)}; the middle of “{second.name}” lies {gap} above."
    if over.p10 == over.p90 == 0:
        return f"{words}, as “{second.name}” does: what differs does not change it."
    return (
        f"{words}, the least of {len(ranked)}: {money(over.p50)} less than “{second.name}” "
        f"({most_likely(over)}), and less in {percent(share)} of the futures."
    )


def _ranked(done: Sequence[Column]) -> list[Column]:
    """The cheapest first: future by future against the others where they can be paired, else by their middle."""
    by_middle = sorted(done, key=_p50_usd)
    if not by_middle:
        return []
    first = by_middle[0]
    for column in by_middle[1:]:
        over = column.over(first)
        if over is not None and over.p50 < 0:
            first = column
    rest = [column for column in by_middle if column is not first]

    def above(column: Column) -> float:
        over = column.over(first)
        return over.p50 if over is not None else _p50_usd(column) - _p50_usd(first)

    return [first, *sorted(rest, key=above)]


def _p50_usd(column: Column) -> float:
    return column.option.annual_usd.p50 if column.option else 0.0


def _lines(done: Sequence[Column]) -> list[Line]:
    first = done[0]
    options = [column.option for column in done if column.option]
    rows = [
        Line("Option that counts", tuple((option.label, "") for option in options)),
        Line("First 12 months", tuple(_banded(option.annual_usd) for option in options)),
    ]
    if len(done) > 1:
        rows.append(Line(f"Against “{first.name}”, future by future", tuple(_against(c, first) for c in done)))
    rows += [
        Line("A month, later", tuple(_banded(option.run_rate_usd_per_month) for option in options)),
        Line("All months", tuple(_over_all(column) for column in done)),
        Line("1,000 requests", tuple(_banded(option.usd_per_1000_requests) for option in options)),
        Line("Own GPUs pay from", tuple(_even(column) for column in done)),
    ]
    for key in COMPONENTS:
        sums = [sum(option.components_mean_usd[key][:YEAR]) for option in options]
        if any(sums):
            names = {component_label(key, option) for option in options}
            label = names.pop() if len(names) == 1 else "Tokens or GPU serving"
            rows.append(Line(f"{label}, expected", tuple((money(usd), "") for usd in sums)))
    return rows


def _banded(found: Any) -> tuple[str, str]:
    return (money(found.p50), band(found.p10, found.p90)) if found else ("–", "")


def _over_all(column: Column) -> tuple[str, str]:
    assert column.option is not None
    words, spread = _banded(column.option.total_usd)
    return words, f"{spread}, {column.spec.months} months"


def _against(column: Column, first: Column) -> tuple[str, str]:
    if column is first:
        return "–", ""
    over, share = column.over(first), column.share_below(first)
    if over is None or share is None:
        return "–", "computed with other prices"
    return difference_words(over), f"{band(over.p10, over.p90)}; less in {percent(share)}"


def _even(column: Column) -> tuple[str, str]:
    pair = column.own_gpus
    if pair is None or column.result is None:
        return "–", ""
    above = in_sentence(column.result.option(pair.above).label)
    if pair.requests_per_day is None:
        return "no volume", above
    return f"{compact(pair.requests_per_day)} a day", above
