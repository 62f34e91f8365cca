from costing.engine.bands import ALL, ASSUMED, band_for, stored
from costing.engine.defaults import complete
from costing.engine.inputs import Choices, Origin

from .scenarios import CATALOGUE, scenario


def test_a_circumstance_nobody_measured_has_the_band_of_the_whole_part():
    whole = next(band for band in stored() if (band.part, band.circumstance) == ("training", ALL))
    assert band_for("training", "on the moon") == whole
    assert band_for("training", "ordinary") in stored()
    assert band_for("training", "ordinary") != whole
    assert band_for("nothing", "ordinary") is None


def test_an_assumed_band_is_wider_than_any_measured_one():
    for (part, circumstance), band in ASSUMED.items():
        assert band_for(part, circumstance) == band
        assert all(band.p90 / band.p10 > one.p90 / one.p10 for one in stored() if one.part == part)


def factors(open_model: str) -> dict:
    spec = scenario(choices=Choices(open_model=open_model))
    return {one.key: one for one in complete(spec, CATALOGUE) if one.key.endswith(("time_factor", "speed_factor"))}


def test_a_projection_takes_its_doubt_about_speed_from_the_measurements():
    found = factors("Qwen3-8B")
    training, serving = found["training_time_factor"], found["serving_speed_factor"]
    band = band_for("training", "ordinary")
    assert (training.low, training.high) == (1 / band.p90, 1 / band.p10)  # slower than estimated takes more time
    band = band_for("serving", "ordinary")
    assert (serving.low, serving.high) == (band.p10, band.p90)
    assert {training.provenance.origin, serving.provenance.origin} == {Origin.CATALOGUE}
    assert "published measurements" in training.provenance.detail
    assert training.provenance.as_of


def test_a_mixture_of_experts_is_less_sure_and_says_that_it_is_assumed():
    mixture = next(model.model_id for model in CATALOGUE.models if model.is_mixture)
    for key, one in factors(mixture).items():
        dense = factors("Qwen3-8B")[key]
        assert one.high / one.low > dense.high / dense.low
        assert one.provenance.origin is Origin.ASSUMPTION
