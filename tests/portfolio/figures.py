"""Figures for tests of what is shown of them: computed by the engine, from few draws."""

from costing import runner
from costing.models import Projection

DRAWS = 256  # a sixteenth of the product's: every part of the result is there, its bands are only rougher


def computed(projection: Projection) -> Projection:
    """The waiting projection with its result."""
    Projection.objects.filter(pk=projection.pk).update(draws=DRAWS)
    assert runner.run_projection(projection.pk)
    return Projection.objects.get(pk=projection.pk)
