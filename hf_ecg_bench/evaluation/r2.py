"""Coefficient of determination per target and macro."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import check_arrays
from hf_ecg_bench.evaluation.brier import squared_errors
from hf_ecg_bench.evaluation.ratio import ratio
from hf_ecg_bench.evaluation.undefined import macro_mean

Floats = NDArray[np.float64]

# Sums of squares below this share of what they are the difference of are rounding.
_ROUNDING = 1e-12


def r2(targets: ArrayLike, predictions: ArrayLike) -> Floats:
    """1 - squared error / squared deviation of the targets from their mean, per target, shape (targets,).

    1 is perfect, 0 as good as the mean of these targets, negative worse. Missing targets are left out; NaN where the
    known ones are all equal, or fewer than two.
    """
    t, p = check_arrays(targets, predictions)
    valid = ~np.isnan(t)
    error = np.where(valid, squared_errors(t, p), 0.0).sum(axis=0)
    centred = centred_targets(t)
    return r2_of(error, centred.sum(axis=0), np.square(centred).sum(axis=0), valid.sum(axis=0))


def macro_r2(targets: ArrayLike, predictions: ArrayLike) -> float:
    """Mean of the targets' R2; undefined ones are left out."""
    return float(macro_mean(r2(targets, predictions)))


def centred_targets(targets: NDArray[np.floating]) -> Floats:
    """Targets minus their mean, in float64, 0 where missing: sums of squares then lose no digits."""
    valid = ~np.isnan(targets)
    known = np.where(valid, targets, 0.0).astype(np.float64)
    return np.where(valid, known - known.sum(axis=0) / np.maximum(valid.sum(axis=0), 1), 0.0)


def r2_of(error: Floats, total: Floats, square: Floats, number: Floats) -> Floats:
    """R2 from sums over records: squared errors, centred targets, their squares, and the number of values."""
    spread = square - np.square(total) / np.maximum(number, 1)
    return 1.0 - ratio(error, spread, spread > _ROUNDING * square)
