"""All that `portfolio` may use of `costing` (with the faces of `costing.charts`)."""

from costing import jobs, price_books, price_lists
from costing.actions import (
    DRAWS,
    NothingNewError,
    PricesChangedError,
    add_currency,
    apply_import,
    cancel_projection,
    create_scenario,
    discard_import,
    end_rate,
    is_current,
    propose_import,
    remove_rate,
    request_projection,
    restore_book,
    retry_projection,
    save_rate,
)
from costing.charts.costs import cost_charts
from costing.engine import catalogue, own_rates, prices
from costing.engine import presets as training_claims
from costing.engine.amounts import read_number, read_terms
from costing.engine.assumptions import bounds as input_bounds
from costing.engine.assumptions import table as input_defaults
from costing.engine.catalogue import Catalogue
from costing.engine.currencies import check_currency, usd_per_unit
from costing.engine.currencies import codes as currency_codes
from costing.engine.defaults import complete as complete_inputs
from costing.engine.defaults import filled as filled_choices
from costing.engine.finance import band as band_of
from costing.engine.finance import quantiles
from costing.engine.inputs import Choices, Input, Origin, Provenance, ScenarioSpec, Shape
from costing.engine.joint.carriers import narrowed, shares_of_variance
from costing.engine.joint.differences import CAUSES as CHANGE_CAUSES
from costing.engine.joint.differences import Then, difference
from costing.engine.joint.items import Due, Item, Simulated, Unpriced, pooled
from costing.engine.joint.pool import CLAIMED_SAVING, Crossing, Pool, Saving, crossing, saving, together
from costing.engine.joint.pool import YEAR as YEAR_MONTHS
from costing.engine.joint.simulated import simulated
from costing.engine.lineage.explain import FIGURES, Explanation, explain
from costing.engine.months import first_day, last_day, month_after, months_between
from costing.engine.moving import Travel, moved, travel
from costing.engine.notices import COST_ALONE
from costing.engine.overrides import with_overrides
from costing.engine.planned_use import PlannedUse, planned_use
from costing.engine.preview import PREVIEW_DRAWS, Preview, dominated_by, median_of, range_of
from costing.engine.project import ENGINE_VERSION
from costing.engine.rate_checks import check_rate
from costing.engine.rates import unknown_choices
from costing.engine.results import (
    COMPONENTS,
    OPTIONS,
    RUNNING,
    AnswerValue,
    AppliedInput,
    Band,
    BreakEven,
    Cadence,
    Driver,
    Event,
    GpuFit,
    OptionResult,
    PolicyCost,
    ProjectionResult,
    RetrainingWay,
)
from costing.engine.screening import adapter_fits_16_bit, monthly_api_bill_usd
from costing.first_year import FirstYear, first_year
from costing.models import Job, JobState, PriceBook, PriceImport, Projection, Scenario, Upload
from costing.previews import previewed
from costing.revisions import newest_of, store_revisions
from costing.runner import cents, result_of, run_projection, spec_of
from costing.sheets import Column, Row, Sheet, SheetField, UnreadableSheet, as_read, read_sheet, write_csv, write_xlsx
from costing.signals import projection_finished

__all__ = [
    "CHANGE_CAUSES",
    "CLAIMED_SAVING",
    "COMPONENTS",
    "COST_ALONE",
    "DRAWS",
    "ENGINE_VERSION",
    "FIGURES",
    "OPTIONS",
    "PREVIEW_DRAWS",
    "RUNNING",
    "YEAR_MONTHS",
    "AnswerValue",
    "AppliedInput",
    "Band",
    "BreakEven",
    "Cadence",
    "Catalogue",
    "Choices",
    "Column",
    "Crossing",
    "Driver",
    "Due",
    "Event",
    "Explanation",
    "FirstYear",
    "GpuFit",
    "Input",
    "Item",
    "Job",
    "JobState",
    "NothingNewError",
    "OptionResult",
    "Origin",
    "PlannedUse",
    "PolicyCost",
    "Pool",
    "Preview",
    "PriceBook",
    "PriceImport",
    "PricesChangedError",
    "Projection",
    "ProjectionResult",
    "Provenance",
    "RetrainingWay",
    "Row",
    "Saving",
    "Scenario",
    "ScenarioSpec",
    "Shape",
    "Sheet",
    "SheetField",
    "Simulated",
    "Then",
    "Travel",
    "Unpriced",
    "UnreadableSheet",
    "Upload",
    "adapter_fits_16_bit",
    "add_currency",
    "apply_import",
    "as_read",
    "band_of",
    "cancel_projection",
    "catalogue",
    "cents",
    "check_currency",
    "check_rate",
    "complete_inputs",
    "cost_charts",
    "create_scenario",
    "crossing",
    "currency_codes",
    "difference",
    "discard_import",
    "dominated_by",
    "end_rate",
    "explain",
    "filled_choices",
    "first_day",
    "first_year",
    "input_bounds",
    "input_defaults",
    "is_current",
    "jobs",
    "last_day",
    "median_of",
    "month_after",
    "monthly_api_bill_usd",
    "months_between",
    "moved",
    "narrowed",
    "newest_of",
    "own_rates",
    "planned_use",
    "pooled",
    "previewed",
    "price_books",
    "price_lists",
    "prices",
    "projection_finished",
    "propose_import",
    "quantiles",
    "range_of",
    "read_number",
    "read_sheet",
    "read_terms",
    "remove_rate",
    "request_projection",
    "restore_book",
    "result_of",
    "retry_projection",
    "run_projection",
    "save_rate",
    "saving",
    "shares_of_variance",
    "simulated",
    "spec_of",
    "store_revisions",
    "together",
    "training_claims",
    "travel",
    "unknown_choices",
    "usd_per_unit",
    "with_overrides",
    "write_csv",
    "write_xlsx",
]
