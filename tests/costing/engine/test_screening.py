"""The two quick figures for the decision: against prices by hand and the memory of published cards."""

from __future__ import annotations

import math

import pytest

from costing.engine.catalogue import load
from costing.engine.screening import adapter_fits_16_bit, monthly_api_bill_usd

CATALOGUE = load()


def bill(requests_per_day, input_tokens, output_tokens):
    return monthly_api_bill_usd(
        CATALOGUE, requests_per_day=requests_per_day, input_tokens=input_tokens, output_tokens=output_tokens
    )


def test_the_bill_is_volume_times_list_price():
    """A million tokens in and out a day at $0.75 and $3.75, 30.4375 days."""
    assert bill(1_000, 1_000, 1_000) == pytest.approx(30.4375 * 4.50)
    assert bill(0, 1_000, 1_000) == 0.0
    assert bill(2_000, 1_000, 1_000) == pytest.approx(2 * bill(1_000, 1_000, 1_000))


@pytest.mark.parametrize("field", ["requests_per_day", "input_tokens", "output_tokens"])
@pytest.mark.parametrize("number", [-1, math.inf, math.nan])
def test_impossible_amounts_are_named(field, number):
    amounts = {"requests_per_day": 1, "input_tokens": 1, "output_tokens": 1, field: number}
    with pytest.raises(ValueError, match=field):
        monthly_api_bill_usd(CATALOGUE, **amounts)


def test_an_adapter_fits_more_memory_and_more_gpus_better():
    fits = [adapter_fits_16_bit(CATALOGUE, gpu_memory_gib=gib) for gib in (8, 16, 40, 80)]
    assert fits == [False, False, True, True]
    shared = [adapter_fits_16_bit(CATALOGUE, gpu_memory_gib=16, gpus=gpus) for gpus in (1, 8, 100_000)]
    assert shared == [False, True, True]


@pytest.mark.parametrize(("field", "number"), [("gpu_memory_gib", 0), ("gpu_memory_gib", math.inf), ("gpus", 0)])
def test_impossible_hardware_is_named(field, number):
    with pytest.raises(ValueError, match=field):
        adapter_fits_16_bit(CATALOGUE, **{"gpu_memory_gib": 24, "gpus": 1, field: number})
