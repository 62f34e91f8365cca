"""The three estimators by name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costing.engine.measured import memory, serving, training
from costing.engine.measured.part import Part

PARTS: Mapping[str, Part[Any, Any]] = {part.name: part for part in (training.PART, memory.PART, serving.PART)}
