import math

from hypothesis import given
from hypothesis import strategies as st

from costing.charts.scale import (
    categories,
    is_horizontal,
    is_tornado,
    linear_axis,
    log_axis,
    nice_step,
    position_axis,
    shown_labels,
    stack_bases,
    value_axis,
)
from tests.costing.charts import samples


def test_stacks_pile_up_from_zero():
    assert stack_bases(samples.stacked()) == {"serving": (0.0, 0.0, 0.0), "data": (100.0, 200.0, 300.0)}


def test_the_value_axis_starts_at_zero_and_holds_the_highest_whisker():
    axis = value_axis(samples.stacked())
    assert (axis.low, axis.high) == (0.0, 600.0)  # highest P90 is 500; five marks, step 200
    assert axis.labels == ("$0", "$200", "$400", "$600")


def test_a_tornado_does_not_start_at_zero():
    axis = value_axis(samples.tornado())
    assert axis.low == 40_000
    assert (is_tornado(samples.tornado()), is_tornado(samples.options()), is_horizontal(samples.options())) == (
        True,
        False,
        True,
    )


def test_logarithmic_axes_are_marked_at_powers_of_ten():
    positions = position_axis(samples.break_even())
    assert positions.labels == ("1k", "10k", "100k", "1M")
    assert [round(positions.at(x), 6) for x in (1e3, 1e4, 1e6)] == [0, 0.333333, 1]
    values = value_axis(samples.break_even())
    assert values.ticks == (100.0, 1e3, 1e4, 1e5)


def test_a_narrow_logarithmic_range_gets_marks_in_between():
    assert log_axis([30.0, 800.0], "count").ticks == (20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)


def test_no_figures_still_make_an_axis():
    assert linear_axis([], "usd", 5, zero=True).low == 0
    assert log_axis([0.0, -1.0], "usd").low > 0


def test_categories_keep_their_order():
    assert categories(samples.stacked()) == samples.MONTHS


def test_labels_that_fit_are_shown_evenly():
    assert shown_labels(tuple("abcdef"), 1000, 20) == (0, 1, 2, 3, 4, 5)
    assert shown_labels(("Jan 27",) * 36, 400, 40) == (0, 6, 12, 18, 24, 30)  # 400/52 → 7 fit; every sixth gives six
    assert shown_labels((), 400, 40) == ()


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_a_nice_step_is_at_least_as_wide_and_at_most_two_and_a_half_times(rough):
    step = nice_step(rough)
    assert rough * (1 - 1e-9) <= step <= rough * 2.5 * (1 + 1e-9)


AMOUNTS = st.floats(min_value=-1e9, max_value=1e9).map(lambda amount: round(amount, 9))  # no figure is finer


@given(st.lists(AMOUNTS, min_size=1))
def test_a_linear_axis_encloses_its_values(values):
    axis = linear_axis(values, "usd", 5, zero=True)
    invisible = (axis.high - axis.low) * 1e-8  # a hair's breadth beyond the last mark asks for no further one
    assert axis.low <= min(*values, 0) + invisible
    assert axis.high >= max(*values, 0) - invisible
    assert 2 <= len(axis.ticks) <= 8
    assert all(math.isfinite(t) for t in axis.ticks)
