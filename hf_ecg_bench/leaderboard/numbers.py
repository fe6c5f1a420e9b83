"""Numbers as JSON has them: few digits, null for what is not known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

#: A score's interval is wider than this many decimals.
DECIMALS = 5


def number(value: Any, decimals: int = DECIMALS) -> float | None:
    """Rounded, None for NaN and infinities."""
    value = float(value)
    return round(value, decimals) if math.isfinite(value) else None


def amount(value: Any) -> float | None:
    """With 6 significant digits: for sizes, times and p values."""
    value = float(value)
    return float(f"{value:.6g}") if math.isfinite(value) else None


def numbers(values: Iterable[Any], decimals: int = DECIMALS) -> list[float | None]:
    """`number` of each."""
    return [number(value, decimals) for value in values]


def matrix(values: np.ndarray, decimals: int = DECIMALS) -> list[list[float | None]]:
    """A (k, k) array as lists of rows."""
    rounded = np.round(np.asarray(values, dtype=np.float64), decimals) + 0.0  # + 0.0: no minus zero
    missing = ~np.isfinite(rounded)
    return [
        [None if gone else value for value, gone in zip(row, lost, strict=True)]
        for row, lost in zip(rounded.tolist(), missing.tolist(), strict=True)
    ]
