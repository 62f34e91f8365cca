"""Reads what the demo organisation consists of. Pure."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "maison.toml"


def definition() -> dict[str, Any]:
    """The demo's people, units and use cases with everybody's answers."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
