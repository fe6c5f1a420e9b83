"""Adjusted p values for several comparisons."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import EcgBenchError


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjustment (Holm 1979): controls the chance of any false finding. Keeps the order."""
    p = _check(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _restore(stepped, order)


def holm_of_defined(p_values: ArrayLike) -> NDArray[np.float64]:
    """`holm` over the p values that are numbers; NaN, of a comparison without a value, stays and counts for none."""
    p = np.array(p_values, dtype=np.float64)
    defined = ~np.isnan(p)
    p[defined] = holm(p[defined])
    return p


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Benjamini & Hochberg (1995): controls the expected share of false findings. Keeps the order."""
    p = _check(p_values)
    order = np.argsort(p, kind="stable")
    stepped = p[order] * len(p) / np.arange(1, len(p) + 1)
    return _restore(np.minimum.accumulate(stepped[::-1])[::-1], order)


def _check(p_values: ArrayLike) -> NDArray[np.float64]:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise EcgBenchError(f"p values: expected numbers from 0 to 1 in one dimension, found {p}")
    return p


def _restore(adjusted: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.float64]:
    result = np.empty_like(adjusted)
    result[order] = np.minimum(adjusted, 1.0)
    return result
