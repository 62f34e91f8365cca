"""What people cost: wages with load, hours, shares of a full-time job, labelling. Pure; arrays are (draws, 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def loaded_usd_per_hour(salary_usd_per_year: Array, load: Array, hours_per_year: Array) -> Array:
    """An hour of work as the employer pays it: salary × load / productive hours a year."""
    return salary_usd_per_year * load / hours_per_year


def fte_usd_per_month(salary_usd_per_year: Array, load: Array, share_of_fte: Array) -> Array:
    """A share of one full-time person: share × salary × load / 12."""
    return share_of_fte * salary_usd_per_year * load / 12


def example_making_usd(
    examples: Array, share_made: Array, hours_per_example: Array, rework: Array, rate_usd_per_hour: Array
) -> Array:
    """Making training examples: n × share that must be made × hours each × (rejections and rework) × rate."""
    return examples * share_made * hours_per_example * rework * rate_usd_per_hour


def evaluation_run_usd(
    cases: Array,
    candidate_usd_per_case: Array,
    judge_usd_per_case: Array,
    human_share: Array,
    minutes_per_case: Array,
    rate_usd_per_hour: Array,
) -> Array:
    """One evaluation run: n × (candidate + judge) + n × share reviewed by people × minutes/60 × rate."""
    automatic = cases * (candidate_usd_per_case + judge_usd_per_case)
    return automatic + cases * human_share * minutes_per_case / 60 * rate_usd_per_hour
