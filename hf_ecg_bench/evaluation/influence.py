"""Standard errors of the macro AUROC without resampling, from influence values (for one label: DeLong).

Valid once every label has about ten positives and ten negatives; below that, take the bootstrap.
References: DeLong, DeLong & Clarke-Pearson 1988; Sun & Xu 2014; Obuchowski 1997 (clusters); LeDell 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, check_arrays, check_binary
from hf_ecg_bench.evaluation.resampling import group_index
from hf_ecg_bench.evaluation.undefined import macro_mean

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class InfluenceEstimate:
    """A macro AUROC, or the difference of two, with its standard error.

    Attributes:
        value: mean over defined labels.
        standard_error: of that value, without resampling.
        influence: (records,) each record's influence value; their mean is 0.
    """

    value: float
    standard_error: float
    influence: Floats

    @property
    def p(self) -> float:
        """Two-sided p of value = 0 by the normal approximation; meaningful for a difference."""
        if self.standard_error == 0:
            return 1.0 if self.value == 0 else 0.0
        return math.erfc(abs(self.value / self.standard_error) / math.sqrt(2))


def macro_influence(
    targets: ArrayLike, predictions: ArrayLike, *, groups: ArrayLike | None = None
) -> InfluenceEstimate:
    """Macro AUROC and its influence-function standard error; `groups` allows for several records a patient.

    With V_il the placement of record i (positive: share of negatives it beats; negative: share of positives
    that beat it; ties 1/2), A_l the label's AUROC and m_l records of i's class among n:
    psi_i = mean over labels of (V_il - A_l) n / m_l; se = sqrt(sum psi_i^2) / n, psi summed by patient first.
    """
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    values, psi = np.full(t.shape[1], np.nan), np.zeros(len(t))
    for column in range(t.shape[1]):
        placed = placements(t[:, column], p[:, column])
        if placed is not None:
            values[column], label_psi = placed
            psi += label_psi
    defined = int((~np.isnan(values)).sum())
    psi = psi / defined if defined else np.full(len(t), np.nan)
    return InfluenceEstimate(float(macro_mean(values)), _standard_error(psi, groups), psi)


def compare_influence(
    targets: ArrayLike, predictions_a: ArrayLike, predictions_b: ArrayLike, *, groups: ArrayLike | None = None
) -> InfluenceEstimate:
    """Difference A - B of two models on the same records; its influence values are the differences."""
    a, b = macro_influence(targets, predictions_a), macro_influence(targets, predictions_b)
    psi = a.influence - b.influence
    return InfluenceEstimate(a.value - b.value, _standard_error(psi, groups), psi)


def placements(target: FloatArray, score: FloatArray) -> tuple[float, Floats] | None:
    """One label's AUROC and its influence values (records,), 0 for missing targets; None if undefined."""
    positive, negative = target == 1, target == 0
    if not positive.any() or not negative.any():
        return None
    of_positive, of_negative = placement_values(target, score)
    area = float(of_positive.mean())
    psi = np.zeros(len(target))
    psi[positive] = (of_positive - area) * (len(target) / len(of_positive))
    psi[negative] = (of_negative - area) * (len(target) / len(of_negative))
    return area, psi


def placement_values(target: FloatArray, score: FloatArray) -> tuple[Floats, Floats]:
    """Share of negatives each positive beats, and share of positives that beat each negative (ties 1/2)."""
    positive, negative = score[target == 1], score[target == 0]
    return _share_below(positive, negative), 1.0 - _share_below(negative, positive)


def _share_below(values: FloatArray, others: FloatArray) -> Floats:
    ordered = np.sort(others)
    below, not_above = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((below + not_above) / (2.0 * len(others)))


def _standard_error(psi: Floats, groups: ArrayLike | None) -> float:
    total: Floats = psi
    if groups is not None:
        index, n_groups = group_index(groups, len(psi))
        total = np.bincount(index, weights=psi, minlength=n_groups).astype(np.float64)
    return float(np.sqrt((total**2).sum()) / len(psi))
