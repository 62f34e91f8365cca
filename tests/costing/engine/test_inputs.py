import json
import re

import pytest

from costing.engine.catalogue import load
from costing.engine.defaults import complete
from costing.engine.inputs import Choices, Origin, Shape, spec_from_dict, spec_to_dict

MINIMAL = {"title": "Answers", "start": "2027-01"}


def refused(message, **change):
    with pytest.raises(ValueError, match=re.escape(message)):
        spec_from_dict({**MINIMAL, **change})


def test_a_scenario_survives_a_trip_through_json():
    spec = spec_from_dict(
        {
            **MINIMAL,
            "months": 36,
            "recommended_option": "rag_api",
            "choices": {"api_model": "gpt-6-sol"},
            "inputs": [
                {"key": "requests_per_day", "value": 9000, "low": 6000, "high": 14000},
                {
                    "key": "epochs",
                    "value": 3,
                    "provenance": {"origin": "measured", "detail": "run 12", "as_of": "2026-11-01"},
                },
            ],
        }
    )
    assert spec_from_dict(json.loads(json.dumps(spec_to_dict(spec)))) == spec


def test_an_input_without_a_range_is_fixed_and_with_one_is_lognormal():
    spec = spec_from_dict(
        {
            **MINIMAL,
            "inputs": [
                {"key": "epochs", "value": 3},
                {"key": "requests_per_day", "value": 9, "low": 5, "high": 20},
                {"key": "growth_percent_per_month", "value": 0, "low": -1, "high": 1},
            ],
        }
    )
    assert [one.shape for one in spec.inputs] == [Shape.FIXED, Shape.LOGNORMAL, Shape.NORMAL]
    assert spec.inputs[0].low == spec.inputs[0].high == 3
    assert spec.inputs[0].provenance.origin is Origin.ANSWER


def test_what_is_not_given_has_its_default():
    spec = spec_from_dict(MINIMAL)
    assert (spec.months, spec.inputs, spec.choices, spec.language) == (24, (), Choices(), "en")


def test_the_wrong_field_is_named_with_what_to_do():
    refused("scenario has an unknown field 'moths'; did you mean months?", moths=3)
    refused("months is 37; give a whole number from 1 to 36", months=37)
    refused("months is True", months=True)
    refused("start is '2027-13'; give the first month as YYYY-MM", start="2027-13")
    refused("scenario.title is missing", title=" ")
    refused("inputs[0] is 3; give an object", inputs=[3])
    refused("inputs: give a list", inputs={"key": "x"})
    refused("inputs[epochs].value is missing", inputs=[{"key": "epochs"}])
    refused("inputs[epochs].value is '3'; give a number", inputs=[{"key": "epochs", "value": "3"}])
    refused("inputs[epochs].value is nan", inputs=[{"key": "epochs", "value": float("nan")}])
    refused("inputs[epochs]: low 5 is above high 2", inputs=[{"key": "epochs", "value": 3, "low": 5, "high": 2}])
    refused("inputs[epochs] is given twice", inputs=[{"key": "epochs", "value": 3}] * 2)
    refused("outside low 1 … high 2", inputs=[{"key": "epochs", "value": 3, "low": 1, "high": 2, "shape": "pert"}])
    refused("needs low above 0", inputs=[{"key": "epochs", "value": 3, "low": 0, "high": 5, "shape": "lognormal"}])
    refused("shape is 'round'; give one of fixed", inputs=[{"key": "epochs", "value": 3, "shape": "round"}])
    refused("provenance.origin is 'hearsay'", inputs=[{"key": "e", "value": 3, "provenance": {"origin": "hearsay"}}])
    refused("choices has an unknown field 'gpus'; did you mean gpu", choices={"gpus": "L4"})
    refused("choices.base_model_policy is 'wait'; give one of retrain", choices={"base_model_policy": "wait"})
    with pytest.raises(ValueError, match="scenario is a list"):
        spec_from_dict([1])


def test_options_left_out_are_given_as_pairs_or_as_an_object():
    start = {"title": "A test", "start": "2027-01"}
    by_object = spec_from_dict({**start, "excluded": {"rag_api": "it may not leave"}, "remarks": ["A word."]})
    assert by_object == spec_from_dict(
        {**start, "excluded": [["rag_api", "it may not leave"]], "remarks": ("A word.",)}
    )
    assert (by_object.excluded, by_object.remarks) == ((("rag_api", "it may not leave"),), ("A word.",))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("excluded", "rag_api", "excluded: give an object"),
        ("excluded", ["rag_api"], "excluded: 'rag_api' is no pair of option key and reason"),
        ("excluded", {"rag_api": " "}, r"excluded\[rag_api\]: say why"),
        ("excluded", [["rag_api", "a"], ["rag_api", "b"]], r"excluded\[rag_api\] is given twice"),
        ("remarks", "A word.", "remarks: give a list of sentences"),
        ("remarks", [3], "remarks: 3 is no sentence"),
    ],
)
def test_what_is_no_exclusion_and_no_remark_is_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        spec_from_dict({"title": "A test", "start": "2027-01", field: value})


def test_an_unknown_option_cannot_be_left_out():
    spec = spec_from_dict({"title": "A test", "start": "2027-01", "excluded": {"rag_apu": "a reason"}})
    with pytest.raises(ValueError, match=r"excluded is 'rag_apu'; give one of .*did you mean rag_api"):
        complete(spec, load())
