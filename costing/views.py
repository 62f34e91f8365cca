"""The page that explains the engine: every formula with its function, units, source and range."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from costing.engine.lineage.examples import Recipe, recipes
from costing.engine.method_constants import Constant, constants_of
from costing.engine.methods import Chapter, chapters


@dataclass(frozen=True)
class ShownChapter:
    chapter: Chapter
    constants: tuple[Constant, ...]


@cache
def _contents() -> tuple[tuple[ShownChapter, ...], tuple[Recipe, ...]]:
    """Read once: the source does not change while the product runs."""
    shown = tuple(
        ShownChapter(chapter, tuple(one for module in chapter.modules for one in constants_of(module)))
        for chapter in chapters()
    )
    return shown, recipes()


@login_required
@require_GET
def methods(request: HttpRequest) -> HttpResponse:
    """For everybody who has signed in: nothing on it belongs to an organisation."""
    shown, how_components = _contents()
    context = {
        "chapters": shown,
        "recipes": how_components,
        "method_count": sum(len(one.chapter.methods) for one in shown),
    }
    return render(request, "costing/methods.html", context)
