"""Units and conversions used throughout the engine. Every name carries its unit; nothing here is an assumption."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Number = float | Array
"""A quantity: one number, or an array that broadcasts against the others (usually draws × months)."""

BYTES_PER_KB = 1e3
BYTES_PER_GB = 1e9
BYTES_PER_GIB = 1024.0**3
BITS_PER_BYTE = 8.0
FLOPS_PER_TFLOP = 1e12
TOKENS_PER_MTOK = 1e6
HOURS_PER_DAY = 24.0
DAYS_PER_YEAR = 365.25
MONTHS_PER_YEAR = 12.0
DAYS_PER_MONTH = DAYS_PER_YEAR / MONTHS_PER_YEAR  # 30.4375
HOURS_PER_MONTH = DAYS_PER_MONTH * HOURS_PER_DAY  # 730.5
SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = HOURS_PER_DAY * SECONDS_PER_HOUR
SECONDS_PER_MONTH = DAYS_PER_MONTH * SECONDS_PER_DAY


def gib(byte_count: Number) -> Number:
    """Bytes → GiB (2³⁰ bytes). Shape of the argument."""
    return byte_count / BYTES_PER_GIB


def gb(byte_count: Number) -> Number:
    """Bytes → GB (10⁹ bytes), the unit stores bill in. Shape of the argument."""
    return byte_count / BYTES_PER_GB


def per_token(usd_per_mtok: Number) -> Number:
    """US dollars per million tokens → US dollars per token. Shape of the argument."""
    return usd_per_mtok / TOKENS_PER_MTOK
