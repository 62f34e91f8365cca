"""The appendix of constants: every belief of the methods, and nothing that is none."""

import math
import re

from costing.engine import scaling, serving_engines, units
from costing.engine.constants import constant_rows
from costing.engine.inputs import Choices
from costing.engine.rates import rates

from .scenarios import CATALOGUE


def rows():
    return {(row.row, row.what): row for row in constant_rows(rates(Choices(), CATALOGUE))}


def test_what_the_methods_multiply_by_is_listed_with_its_value_and_place():
    found = rows()
    assert found["replicas", "tail"].value == scaling.TAIL
    assert found["replicas", "tail"].source == "costing/engine/scaling.py"
    calibrated = found["serving speed", "read hopper"]
    assert calibrated.value == serving_engines.SERVING.read_hopper
    chosen = CATALOGUE.gpu("L40S")
    assert found["L40S", "memory gib"].value == chosen.memory_gib
    assert found["L40S", "memory gib"].source == chosen.source


def test_neither_conversions_of_units_nor_rules_of_names_are_beliefs():
    found = rows()
    assert all(math.isfinite(row.value) for row in found.values())
    named = {what.replace(" ", "_").upper() for _, what in found}
    assert not named & {name for name in vars(units) if name.isupper()}
    assert not [what for _, what in found if re.search(r"\d, \d", what)]  # places in tables of tables
