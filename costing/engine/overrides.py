"""What is set by hand on top of a scenario: inputs, choices, horizon, the option that counts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costing.engine.inputs import ScenarioSpec, spec_from_dict, spec_to_dict

FIELDS = ("inputs", "choices", "months", "option")


def with_overrides(spec: ScenarioSpec, overrides: Mapping[str, Any]) -> ScenarioSpec:
    """`spec` with what was set by hand; nothing set gives `spec` itself.

    `overrides`: "inputs" (key → fields of an `Input` but the key), "choices" (name → catalogue row), "months",
    "option" (the option that counts as decided). Raises ValueError naming the field.
    """
    for name in overrides:
        if name not in FIELDS:
            raise ValueError(f"overrides has an unknown field {name!r}; known: {', '.join(FIELDS)}")
    if not any(overrides.values()):
        return spec
    document = spec_to_dict(spec)
    inputs = {one["key"]: one for one in document["inputs"]}
    for key, row in (overrides.get("inputs") or {}).items():
        inputs[key] = {**row, "key": key}
    return spec_from_dict(
        {
            **document,
            "inputs": list(inputs.values()),
            "choices": {**document["choices"], **(overrides.get("choices") or {})},
            "months": overrides.get("months") or spec.months,
            "recommended_option": overrides.get("option") or spec.recommended_option,
        }
    )
