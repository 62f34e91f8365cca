"""Own prices where the catalogue has none, and options that ask only for the prices they need."""

from costing.engine.fit import gpu_fit
from costing.engine.inputs import Choices
from costing.engine.project import project
from costing.engine.setting import prepare
from costing.engine.units import HOURS_PER_MONTH

from .scenarios import CATALOGUE, certain, scenario

UNPRICED = "MI300X"
OWN = {"gpu_usd_per_hour": 2.5, "training_gpu_usd_per_hour": 2.5}
HERE = Choices(gpu=UNPRICED, training_gpu=UNPRICED)


def option(key: str, choices: Choices, **values: float):
    return project(scenario(months=1, choices=choices, **values), CATALOGUE, draws=16).option(key)


def test_an_own_rent_makes_up_for_one_the_catalogue_does_not_have():
    assert not [row for row in CATALOGUE.gpu_prices if row.gpu == UNPRICED]
    assert "enter your own rate" in option("self_hosted_lora", HERE).why_not
    spec = certain(months=1, choices=HERE, requests_per_day=0, minimum_replicas=2, **OWN)
    found = project(spec, CATALOGUE, draws=1).option("self_hosted_lora")
    assert found.components_mean_usd["serving"] == (round(2 * 2.5 * HOURS_PER_MONTH, 2),)
    assert found.components_mean_usd["training"][0] > 0


def test_a_model_that_is_not_trained_needs_no_rent_for_training():
    choices = Choices(training_gpu=UNPRICED)
    assert option("self_hosted_prompting", choices).feasible
    assert UNPRICED in option("self_hosted_lora", choices).why_not


def test_own_spot_machines_need_a_price_for_what_they_do_not_cover():
    spot = Choices(gpu=UNPRICED, training_gpu=UNPRICED, gpu_pricing="spot")
    assert "fallback" not in option("self_hosted_prompting", spot, **OWN, fallback_gpu_usd_per_hour=4).why_not
    assert option("self_hosted_prompting", spot, **OWN, fallback_gpu_usd_per_hour=4).feasible
    assert "no on-demand price of 'MI300X'" in option("self_hosted_prompting", spot, **OWN).why_not
    # an own spot rent beside the on-demand rents that the catalogue has
    assert option("self_hosted_prompting", Choices(gpu="L40S", gpu_pricing="spot"), **OWN).feasible


def test_an_own_price_of_managed_training_is_enough_where_the_tuned_model_has_one():
    choices = Choices(tuning_provider="google", tuning_model="gemini-3.8-flash")
    assert "no managed tuning price" in option("managed_tuning", choices).why_not
    found = option("managed_tuning", choices, managed_training_usd_per_mtok=5)
    assert found.feasible
    assert found.components_mean_usd["training"][0] > 0


def test_gpus_without_a_rent_are_not_shown_at_a_price_nobody_named():
    def shown(**values: float) -> dict[str, float]:
        setting = prepare(scenario(choices=HERE, **values), CATALOGUE, draws=1)
        medians = setting.world(setting.sizing.medians, 1)
        rows = gpu_fit(setting.rates, medians, CATALOGUE, tuned=True, retrieval=False)
        return {row.job: row.usd for row in rows if row.gpu == UNPRICED}

    assert shown() == {}
    assert set(shown(gpu_usd_per_hour=2.5)) == {"serving"}
    assert shown(gpu_usd_per_hour=2.5)["serving"] == 2 * 2.5 * HOURS_PER_MONTH
    assert len(shown(**OWN)) == 4
