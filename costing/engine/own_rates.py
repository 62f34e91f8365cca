"""An organisation's own rates put into the catalogue, and its currencies. Pure.

A rate names a table of the catalogue, a row and a column, and says what is paid instead, in a currency and from a day
on, or what discount is given on the catalogue's price.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costing.engine.catalogue import Catalogue

Plain = Mapping[str, Any]


def applied(catalogue: Catalogue, rates: tuple[Plain, ...], currencies: tuple[Plain, ...], month: str) -> Catalogue:
    """The catalogue with the rates in force in `month` ("YYYY-MM"); its version tells which they are.

    Raises ValueError naming the rate at fault.
    """
    if rates:
        raise ValueError("own rates are not known to this version")
    return catalogue
