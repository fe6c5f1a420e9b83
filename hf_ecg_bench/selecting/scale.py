"""One scale for all metrics, on which models differ by about as much on easy tasks as on hard ones.

An AUROC becomes d' = sqrt(2) Phi^-1(AUROC), the distance of two normal distributions that have it, and that
asinh(2 d'): a logarithm where models are better than chance. Among the published rows models differ by 0.3 to 0.8 in d'
on tasks that are nearly solved and by 0.1 on the hardest; after asinh by 0.1 to 0.3. A standardised MAE is taken times
-3, which brings it to the same spread. Larger is better on this scale.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

_MAE = 3.0
_EDGE = 1e-4  # AUROCs of exactly 0 or 1, from very few records, are brought so far inside


def kind_of(metric: str) -> str:
    """`auroc`, `mae`, or nothing where this scale does not know the metric."""
    return "auroc" if metric.endswith("auroc") else "mae" if metric.endswith("mae") else ""


def to_scale(value: ArrayLike, kind: str) -> Floats:
    """Values of a metric of that kind on the common scale."""
    v = np.asarray(value, np.float64)
    if kind == "mae":
        return -_MAE * v
    return np.asarray(np.arcsinh(2 * math.sqrt(2) * ndtri(np.clip(v, _EDGE, 1 - _EDGE))))


def from_scale(value: ArrayLike, kind: str) -> Floats:
    """The inverse of `to_scale`."""
    v = np.asarray(value, np.float64)
    return -v / _MAE if kind == "mae" else np.asarray(ndtr(np.sinh(v) / (2 * math.sqrt(2))))
