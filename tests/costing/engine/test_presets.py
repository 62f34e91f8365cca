"""The two claims, recomputed by hand: passes × 2N × tokens / (peak × utilisation), with N from the models' cards."""

from dataclasses import replace

import pytest

from costing.engine.catalogue import load
from costing.engine.presets import CLAIMED_USD, CLAIMS, holds, preset, presets, run_cost, turnings

CATALOGUE = load()


@pytest.mark.parametrize(
    ("key", "gpu_hours", "usd"),
    [
        # 6 × 6.738e9 × tokens / (312e12 × utilisation) / 3600, forward, input gradient and one recomputed forward
        ("lora-7b-rented", 6.14, 9.77),
        ("lora-7b-cloud", 12.0, 41),
        ("lora-7b-small-gpu", 59.6, 60),
        ("lora-7b-two-runs", 24.0, 82),
        # 6 × 70.55e9 × tokens / (989e12 × utilisation) / 3600
        ("full-70b-2024", 1019, 12_524),
        ("full-70b-today", 1019, 7_011),
        ("full-70b-large", 1486, 10_225),
        ("full-70b-attempts", 1783, 12_270),
        ("full-70b-typical", 89, 613),
    ],
)
def test_own_gpus(key, gpu_hours, usd):
    cost = run_cost(preset(key), CATALOGUE)
    assert cost.gpu_hours == pytest.approx(gpu_hours, rel=0.01)
    assert cost.usd == pytest.approx(usd, rel=0.01)


@pytest.mark.parametrize(("key", "usd"), [("lora-7b-managed", 72.0), ("full-70b-managed", 10_400.0)])
def test_managed_runs_are_billed_by_the_token(key, usd):
    cost = run_cost(preset(key), CATALOGUE)
    assert cost.gpu_hours is None
    assert cost.usd == pytest.approx(usd)


@pytest.mark.parametrize("claim", CLAIMS)
def test_each_claim_holds_under_some_inputs_and_fails_under_others(claim):
    verdicts = {holds(one, run_cost(one, CATALOGUE)) for one in presets() if one.claim == claim}
    assert verdicts == {True, False}


def test_notes_say_what_the_figures_say():
    for one in presets():
        if "the claim holds" in one.note or "within the claim" in one.note:
            assert holds(one, run_cost(one, CATALOGUE)), one.key
        if "does not hold" in one.note or "no longer holds" in one.note or "less than the claim" in one.note:
            assert not holds(one, run_cost(one, CATALOGUE)), one.key


def test_every_input_can_be_changed():
    one = preset("full-70b-typical")
    dollars = run_cost(one, CATALOGUE).usd
    assert run_cost(replace(one, tokens=one.tokens * 2), CATALOGUE).usd == pytest.approx(2 * dollars)
    assert run_cost(replace(one, attempts=3), CATALOGUE).usd == pytest.approx(3 * dollars)
    assert run_cost(replace(one, utilisation=one.utilisation / 2), CATALOGUE).usd == pytest.approx(2 * dollars)
    assert run_cost(replace(one, usd_per_gpu_hour=1.0), CATALOGUE).usd == pytest.approx(89.2, rel=0.01)
    assert run_cost(replace(one, method="lora"), CATALOGUE).usd == pytest.approx(dollars * 2 / 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": -1.0}, "tokens is -1; give a number above 0"),
        ({"attempts": float("nan")}, "attempts is nan"),
        ({"utilisation": 1.2}, "utilisation is 1.2; give a share"),
        ({"method": "dora"}, "method 'dora' is unknown"),
        ({"model": "Llama-9"}, "unknown open model"),
        ({"gpu": "H100"}, "did you mean"),
    ],
)
def test_absurd_inputs_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        run_cost(replace(preset("full-70b-typical"), **change), CATALOGUE)


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match="unknown preset 'lora'; there are lora-7b-rented"):
        preset("lora")


@pytest.mark.parametrize("key", [one.key for one in presets()])
def test_a_claim_turns_where_it_is_said_to(key: str) -> None:
    """At each end the price is the claim's own limit, found by pricing the run again."""
    run = preset(key)
    low, high = CLAIMED_USD[run.claim]
    for turning in turnings(run, run_cost(run, CATALOGUE)):
        if turning.never:
            continue
        ends = {turning.least, turning.most} - {float("inf"), 0.0}
        for end in ends:
            usd = run_cost(replace(run, **{turning.name: end}), CATALOGUE).usd
            at_its_limit = (turning.name, end) in (("attempts", 1.0), ("utilisation", 1.0))
            assert at_its_limit or usd == pytest.approx(low, rel=1e-9) or usd == pytest.approx(high, rel=1e-9)
