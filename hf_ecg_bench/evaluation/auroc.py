"""Area under the ROC curve per label, macro and micro: exact with ties and missing targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, check_arrays, check_binary
from hf_ecg_bench.evaluation.undefined import Undefined, macro_mean


def auroc(targets: ArrayLike, predictions: ArrayLike) -> NDArray[np.float64]:
    """AUROC per label, shape (targets,): the share of (positive, negative) pairs in order, ties 1/2.

    This Mann-Whitney form equals the trapezoidal area (Hanley & McNeil 1982). Records with a NaN target are
    left out per label; a label without positives or without negatives is NaN.

    Raises:
        PredictionsError: targets other than 0, 1, NaN; predictions that are not finite; wrong shapes.
    """
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    return np.array([_auroc(t[:, column], p[:, column]) for column in range(t.shape[1])])


def macro_auroc(targets: ArrayLike, predictions: ArrayLike, *, undefined: Undefined = "drop") -> float:
    """Mean of the labels' AUROCs; `undefined` says what labels without an AUROC do (see `macro_mean`)."""
    return float(macro_mean(auroc(targets, predictions), undefined))


def micro_auroc(targets: ArrayLike, predictions: ArrayLike) -> float:
    """One AUROC over all (record, label) cells with a target; labels of one class only take part."""
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    return _auroc(t.ravel(), p.ravel())


def _auroc(target: FloatArray, score: FloatArray) -> float:
    positives, negatives = score[target == 1], np.sort(score[target == 0])
    if not len(positives) or not len(negatives):
        return float("nan")
    below = np.searchsorted(negatives, positives, "left")
    not_above = np.searchsorted(negatives, positives, "right")
    # Twice the Mann-Whitney statistic is an integer, so the only rounding is in the last division.
    twice = int(below.sum()) + int(not_above.sum())
    return twice / (2 * len(positives) * len(negatives))
