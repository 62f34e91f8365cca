"""What people do to scenarios, projections and prices. Each is atomic and audited."""

from costing.actions.prices import (
    NothingNewError,
    PricesChangedError,
    add_currency,
    apply_import,
    discard_import,
    end_rate,
    propose_import,
    remove_rate,
    restore_book,
    save_rate,
)
from costing.actions.projections import (
    DRAWS,
    cancel_projection,
    create_scenario,
    is_current,
    request_projection,
    retry_projection,
    seed_of,
)

__all__ = [
    "DRAWS",
    "NothingNewError",
    "PricesChangedError",
    "add_currency",
    "apply_import",
    "cancel_projection",
    "create_scenario",
    "discard_import",
    "end_rate",
    "is_current",
    "propose_import",
    "remove_rate",
    "request_projection",
    "restore_book",
    "retry_projection",
    "save_rate",
    "seed_of",
]
