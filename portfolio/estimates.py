"""What the cost engine can say to a decision before there is a scenario: the untuned bill, and whether LoRA fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costing.public import adapter_fits_16_bit, catalogue, monthly_api_bill_usd
from portfolio.handoff import COUNTS_CALLS
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.loading import LATEST
from portfolio.questionnaire.workload import AGENT_LOOP
from portfolio.questionnaire.workload_defaults import assumed_for, shape_of


def facts_for(answers: Mapping[str, Any], version: str = LATEST) -> Facts:
    """The facts that effective answers allow; what rests on an open answer stays None. Reads the shipped catalogue.

    `version` of the questionnaire says what a request is.
    """
    bill = _monthly_bill_usd(answers, _calls_per_request(answers, version))
    return Facts(adapter_fits_16_bit=_adapter_fits(answers), monthly_bill_usd=bill)


def _calls_per_request(answers: Mapping[str, Any], version: str) -> float:
    """The likely calls of an agent for one request of a user; 1 for others, and where calls were counted."""
    shape = None if version == COUNTS_CALLS else shape_of(answers)
    return assumed_for(AGENT_LOOP)["calls_per_request"].value if shape and shape.key == AGENT_LOOP else 1.0


def _monthly_bill_usd(answers: Mapping[str, Any], calls: float) -> float | None:
    requests, sent, received = (answers.get(q) for q in ("requests_per_day", "input_tokens", "output_tokens"))
    if requests is None or sent is None or received is None:
        return None
    bill = monthly_api_bill_usd(
        catalogue.load(), requests_per_day=requests * calls, input_tokens=sent, output_tokens=received
    )
    return round(bill, 2)


def _adapter_fits(answers: Mapping[str, Any]) -> bool | None:
    """None without GPUs of their own: rented ones are chosen to fit."""
    memory, gpus = answers.get("gpu_memory_gib"), answers.get("gpus_available", 1)
    if not memory or not gpus:
        return None
    return adapter_fits_16_bit(catalogue.load(), gpu_memory_gib=memory, gpus=gpus)
