import json

import pytest

from costing.engine.project import project
from costing.engine.results import COMPONENTS, OPTIONS, ProjectionResult

from .scenarios import CATALOGUE, scenario


def test_a_result_survives_a_trip_through_json():
    result = project(scenario(months=5), CATALOGUE, draws=64)
    assert ProjectionResult.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False))) == result


def test_a_result_stored_before_drivers_and_cadence_existed_is_still_read():
    stored = project(scenario(months=2), CATALOGUE, draws=8).to_dict()
    del stored["drivers"], stored["cadence"]
    read = ProjectionResult.from_dict(stored)
    assert (read.drivers, read.cadence) == ((), None)


def test_options_come_in_the_order_of_the_page_with_all_components():
    result = project(scenario(months=2), CATALOGUE, draws=8)
    assert [option.key for option in result.options] == list(OPTIONS)
    assert all(tuple(option.components_mean_usd) == COMPONENTS for option in result.options)


def test_an_unknown_option_is_named():
    with pytest.raises(KeyError, match="unknown option 'magic'"):
        project(scenario(months=1), CATALOGUE, draws=1).option("magic")
