"""Least squares for the law of a learning curve, for one curve or for thousands of resampled ones at once.

For a fixed exponent the law is linear in its scale and offset: a weighted least-squares problem of two numbers that may
not be negative, solved exactly. The exponent is found on a grid that is then refined around its best point. There is no
starting value and nothing that fails to converge: equal points give an equal law.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.scaling.law import Floats, PowerLaw

ALPHA_MIN, ALPHA_MAX = 0.01, 2.0
FEWEST_SIZES, FEWEST_FOR_OFFSET = 3, 4
_COARSE, _FINE, _ROUNDS = 120, 11, 8
_BLOCK = 256  # curves at a time: a few megabytes


def fit_power_law(records: ArrayLike, errors: ArrayLike, variances: ArrayLike, *, offset: bool = True) -> PowerLaw:
    """The law with the smallest weighted sum of squares, with 0.01 <= alpha <= 2, C >= 0 and L0 >= 0.

    Args:
        records: (sizes,) above 0, at least 3 different ones; at least 4 for a law with an offset.
        errors: (..., sizes) finite; one law is fitted to each row.
        variances: (sizes,) of the errors, above 0; the weights are their reciprocals.
        offset: whether L0 is fitted; otherwise it is 0.

    Raises:
        EcgBenchError: too few sizes, or numbers that cannot be used.
    """
    sizes, values, variance = (np.asarray(item, np.float64) for item in (records, errors, variances))
    _check(sizes, values, variance, offset)
    # Sizes around 1 and weights around 1: well-conditioned whatever the units.
    unit = float(np.exp(np.log(sizes).mean()))
    weights = variance.mean() / variance
    rows = values.reshape(-1, len(sizes))
    parts = [_fit(sizes / unit, rows[i : i + _BLOCK], weights, offset) for i in range(0, len(rows), _BLOCK)]
    scale, alpha, floor = (np.concatenate(part).reshape(values.shape[:-1]) for part in zip(*parts, strict=True))
    flat = scale <= 0
    alpha = np.where(flat, np.nan, alpha)
    return PowerLaw(np.where(flat, 0.0, scale * unit ** np.where(flat, 0.0, alpha)), alpha, floor)


def _check(sizes: Floats, values: Floats, variance: Floats, offset: bool) -> None:
    fewest = FEWEST_FOR_OFFSET if offset else FEWEST_SIZES
    if sizes.ndim != 1 or len(np.unique(sizes)) < fewest:
        raise EcgBenchError(
            f"a power law {'with' if offset else 'without'} offset needs at least {fewest} different numbers of "
            f"records, found {len(np.unique(sizes))}",
            fix="run more fractions: hf-ecg-bench run ... --fraction 1,1/2,1/4,1/8,1/16",
        )
    if values.shape[-1:] != sizes.shape or variance.shape != sizes.shape:
        raise EcgBenchError(f"expected {len(sizes)} errors and variances, found {values.shape} and {variance.shape}")
    if not (np.isfinite(values).all() and (sizes > 0).all() and (variance > 0).all() and np.isfinite(variance).all()):
        raise EcgBenchError("a power law needs finite errors, and sizes and variances above 0")


def _fit(sizes: Floats, errors: Floats, weights: Floats, offset: bool) -> tuple[Floats, Floats, Floats]:
    """(curves,) scale, alpha, offset for errors (curves, sizes)."""
    grid = np.linspace(ALPHA_MIN, ALPHA_MAX, _COARSE)
    step = grid[1] - grid[0]
    alpha = _best(sizes, errors, weights, np.broadcast_to(grid, (len(errors), _COARSE)), offset)
    for _ in range(_ROUNDS):
        around = np.clip(alpha[:, None] + step * np.linspace(-1, 1, _FINE), ALPHA_MIN, ALPHA_MAX)
        alpha = _best(sizes, errors, weights, around, offset)
        step *= 2 / (_FINE - 1)
    scale, floor, _ = _linear(sizes, errors, weights, alpha[:, None], offset)
    return scale[:, 0], alpha, floor[:, 0]


def _best(sizes: Floats, errors: Floats, weights: Floats, alphas: Floats, offset: bool) -> Floats:
    """Of each row of `alphas` (curves, tried) the one with the smallest sum of squares."""
    _, _, squares = _linear(sizes, errors, weights, alphas, offset)
    return alphas[np.arange(len(alphas)), squares.argmin(axis=1)]


def _linear(
    sizes: Floats, errors: Floats, weights: Floats, alphas: Floats, offset: bool
) -> tuple[Floats, Floats, Floats]:
    """(curves, tried) scale and offset, not negative, that are best for each exponent, and their sum of squares."""
    basis = sizes ** -alphas[..., None]
    mean_y = (errors @ weights / weights.sum())[:, None]
    moment = (basis * (errors * weights)[:, None, :]).sum(-1)
    square = (basis**2 @ weights).clip(1e-300)
    alone = np.maximum(moment / square, 0.0)  # the best scale where the offset is 0
    scale, floor = alone, np.zeros_like(alone)
    squares = _squares(basis, errors, weights, scale, floor)
    if not offset:
        return scale, floor, squares
    # Inside: around the weighted means, where small exponents lose no digits.
    mean_x = basis @ weights / weights.sum()
    centred = basis - mean_x[..., None]
    spread = (centred**2 @ weights).clip(1e-300)
    slope = (centred * ((errors - mean_y) * weights)[:, None, :]).sum(-1) / spread
    intercept = mean_y - slope * mean_x
    flat = np.maximum(np.broadcast_to(mean_y, alphas.shape), 0.0)
    inside = (slope >= 0) & (intercept >= 0)
    for possible, c, l0 in ((inside, slope, intercept), (~inside, np.zeros_like(flat), flat)):
        other = _squares(basis, errors, weights, c, l0)
        # An interior solution is the best where it is allowed; at a bound the better of the two bounds is.
        better = possible & (inside | (other < squares))
        scale, floor, squares = (np.where(better, new, old) for new, old in ((c, scale), (l0, floor), (other, squares)))
    return scale, floor, squares


def _squares(basis: Floats, errors: Floats, weights: Floats, scale: Floats, floor: Floats) -> Floats:
    residual = errors[:, None, :] - scale[..., None] * basis - floor[..., None]
    return np.asarray(residual**2 @ weights)
