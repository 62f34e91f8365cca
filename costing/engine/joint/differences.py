"""Why the expected first year of a use case differs between two runs: a sum of causes that adds up to the cent. Pure.

The old inputs are turned into the new ones one cause at a time, each step simulated by today's engine on the same
draws; a cause's part is what its step changes. The order is fixed, so what two causes do together goes to the later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from costing.engine import assumptions
from costing.engine.catalogue import Catalogue
from costing.engine.inputs import Input, ScenarioSpec
from costing.engine.joint.items import Item
from costing.engine.joint.simulated import first_year_cents

# engine, shipped catalogue and the first month | own rates | inputs of volume | other inputs | option and choices |
# what is built by now
STEPS = ("model", "price", "volume", "answers", "decision", "built")
CAUSES = (*STEPS, "new", "gone")
VOLUME = "volume"


@dataclass(frozen=True)
class Then:
    """What an earlier run rested on. `catalogue`: today's, with the rates that were the organisation's own then."""

    spec: ScenarioSpec
    cents: int | None  # expected, first twelve months; None where nothing was priced
    catalogue: Catalogue
    same_model: bool  # as now: engine, shipped catalogue, first month, seed, draws
    built: bool = False  # it ran already


def difference(
    then: Then,
    item: Item,
    cents: int | None,
    *,
    catalogue: Catalogue,
    seed: int,
    draws: int,
    start: str,
    months: int,
) -> dict[str, int]:
    """US cents of the first twelve months by cause, without those that change nothing; together `cents` − `then.cents`.

    `item`, `cents` and `catalogue` are of now. A step that cannot be priced leaves its part to the next one.
    """
    if then.cents is None or cents is None:
        return _appeared_or_gone(then.cents, cents)

    def worked(step: _Step) -> int | None:
        then_item = replace(item, spec=step.spec, built=step.built)
        return first_year_cents(then_item, step.catalogue, seed=seed, draws=draws, start=start, months=months)

    return _telescoped(then, _steps(then, item, catalogue), cents, worked)


@dataclass(frozen=True)
class _Step:
    cause: str
    spec: ScenarioSpec
    catalogue: Catalogue
    built: bool
    moves: bool


def _steps(then: Then, item: Item, catalogue: Catalogue) -> list[_Step]:
    old = _bare(then.spec)
    new = _bare(item.spec)
    was = then.built
    louder = replace(old, inputs=_inputs(old, new))
    answered = replace(louder, inputs=new.inputs, language=new.language)
    return [
        _Step("model", old, then.catalogue, was, not then.same_model),
        _Step("price", old, catalogue, was, then.catalogue.version != catalogue.version),
        _Step("volume", louder, catalogue, was, set(louder.inputs) != set(old.inputs)),
        _Step("answers", answered, catalogue, was, set(answered.inputs) != set(louder.inputs) or _spoken(old, new)),
        _Step("decision", new, catalogue, was, replace(new, inputs=()) != replace(answered, inputs=())),
        _Step("built", new, catalogue, item.built, item.built != was),
    ]


def _telescoped(then: Then, steps: list[_Step], cents: int, worked: Callable[[_Step], int | None]) -> dict[str, int]:
    moving = [step for step in steps if step.moves] or steps[:1]
    found: dict[str, int] = {}
    before = then.cents or 0
    for step in moving:
        # the last step arrives at what is known already
        after = cents if step is moving[-1] else worked(step)
        if after is not None and after != before:
            found[step.cause] = after - before
            before = after
    return found


def _appeared_or_gone(then: int | None, now: int | None) -> dict[str, int]:
    if then is None:
        return {"new": now} if now else {}
    return {"gone": -then} if then else {}


def _inputs(old: ScenarioSpec, new: ScenarioSpec) -> tuple[Input, ...]:
    """The old inputs with the new volume."""
    return (*(one for one in old.inputs if not _is_volume(one)), *(one for one in new.inputs if _is_volume(one)))


def _is_volume(one: Input) -> bool:
    row = assumptions.table().get(one.key)
    return row is not None and row.group == VOLUME


def _spoken(old: ScenarioSpec, new: ScenarioSpec) -> bool:
    return old.language != new.language


def _bare(spec: ScenarioSpec) -> ScenarioSpec:
    """Without what moves no figure; the run sets the months."""
    return replace(spec, title="-", start="2000-01", months=1, questions=(), remarks=())
