"""How much of the features' spread is lost to the precision in which they are stored."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.features.key import Stored

# Largest relative error of rounding to nearest: half a unit in the last of 11, 8 or 24 bits.
_HALF_UNIT: dict[Stored, float] = {"fp16": 2.0**-11, "bf16": 2.0**-8, "fp32": 2.0**-24}
#: Above this share of the spread, a result says so.
NOTABLE = 0.01


def rounding_share(features: np.ndarray, stored: Stored) -> float:
    """Root mean square of the rounding error over that of the windows' deviations from their mean.

    A feature that is large and hardly varies between windows keeps few of the digits in which it varies. Errors are
    taken as uniform, which gives relative error / sqrt(3).

    Args:
        features: (windows, ...) float32, at least two windows.
        stored: the precision they were rounded to.

    Returns:
        0 where nothing varies.
    """
    values = features.reshape(len(features), -1).astype(np.float64)
    spread = float(values.var(axis=0).mean())
    error = float((values**2).mean()) * _HALF_UNIT[stored] ** 2 / 3
    return float(np.sqrt(error / spread)) if spread > 0 else 0.0
