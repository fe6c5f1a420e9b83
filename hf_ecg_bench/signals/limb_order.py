"""Which order of the six limb leads fits the relations that define them."""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import NamedTuple

import numpy as np

from hf_ecg_bench.signals.leads import LEADS

# II - I - III, aVR + (I + II) / 2, aVL - I + II / 2, aVF - II + I / 2: all 0 (Einthoven, Goldberger).
_RELATIONS = np.array(
    [[-1, 1, -1, 0, 0, 0], [0.5, 0.5, 0, 1, 0, 0], [-1, 0.5, 0, 0, 1, 0], [0.5, -1, 0, 0, 0, 1]], dtype=np.float64
)


class LimbFit(NamedTuple):
    """How limb leads fit together.

    Attributes:
        residual: largest root mean square of the four relations, in the signal's unit.
        order: names that the six columns would have where they fit best.
        best: the residual under these names.
    """

    residual: float
    order: tuple[str, ...]
    best: float


def fit_limb_leads(signal: np.ndarray) -> LimbFit | None:
    """Compare the columns' order with every other one of the six limb leads.

    A column that has another lead's name contradicts the relations by a part of the signal, and the right names fit
    down to rounding: the two are far apart also where the leads that were exchanged resemble each other.

    Args:
        signal: (time, 12), canonical leads; samples with NaN in a limb lead are left out.

    Returns:
        The fit; None where no sample is complete.
    """
    limb = np.asarray(signal[:, :6], dtype=np.float64)
    limb = limb[np.isfinite(limb).all(axis=1)]
    if not len(limb):
        return None
    orders = _orders()
    moments = limb.T @ limb / len(limb)  # the mean square of any combination of leads follows from these
    permuted = moments[orders[:, :, None], orders[:, None, :]]
    squares = np.einsum("ki,pij,kj->pk", _RELATIONS, permuted, _RELATIONS)
    residuals = np.sqrt(np.maximum(squares, 0).max(axis=1))
    best = int(residuals.argmin())
    names = [""] * 6
    for lead, column in zip(LEADS, orders[best], strict=False):
        names[column] = lead
    return LimbFit(float(residuals[0]), tuple(names), float(residuals[best]))


@cache
def _orders() -> np.ndarray:
    return np.array(list(permutations(range(6))))  # the first is the given order
