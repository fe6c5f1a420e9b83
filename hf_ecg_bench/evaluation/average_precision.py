"""Average precision per label, macro and micro: exact with ties and missing targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, check_arrays, check_binary
from hf_ecg_bench.evaluation.undefined import macro_mean


def average_precision(targets: ArrayLike, predictions: ArrayLike) -> NDArray[np.float64]:
    """Average precision per label, shape (targets,): the mean of the precision at each positive record's score.

    At a score s the precision is the share of positives among the records with scores of at least s, so that equal
    scores count together; nothing is interpolated (Davis & Goadrich 2006). Records with a NaN target are left out per
    label. NaN without positives or without negatives: the labels are those that have an AUROC. A model without skill
    gives about the share of positives, so values of labels of different prevalence cannot be compared.

    Raises:
        PredictionsError: targets other than 0, 1, NaN; predictions that are not finite; wrong shapes.
    """
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    return np.array([precision_of(t[:, column], p[:, column]) for column in range(t.shape[1])])


def macro_average_precision(targets: ArrayLike, predictions: ArrayLike) -> float:
    """Mean of the labels' average precisions; undefined labels are left out."""
    return float(macro_mean(average_precision(targets, predictions)))


def micro_average_precision(targets: ArrayLike, predictions: ArrayLike) -> float:
    """One average precision over all (record, label) cells with a target."""
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    return precision_of(t.ravel(), p.ravel())


def precision_of(target: FloatArray, score: FloatArray) -> float:
    """Average precision of one label, or of cells; NaN where a class is missing."""
    positives, negatives = np.sort(score[target == 1]), np.sort(score[target == 0])
    if not len(positives) or not len(negatives):
        return float("nan")
    # Of each record: how many positives and negatives have at least its score.
    positive = len(positives) - np.searchsorted(positives, positives, "left")
    negative = len(negatives) - np.searchsorted(negatives, positives, "left")
    return float((positive / (positive + negative)).mean())
