"""Brier score per label and macro."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.arrays import FloatArray, check_arrays, check_binary
from hf_ecg_bench.evaluation.ratio import ratio
from hf_ecg_bench.evaluation.undefined import macro_mean


def brier(targets: ArrayLike, predictions: ArrayLike) -> NDArray[np.float64]:
    """Mean squared difference of probability and outcome per label, shape (targets,); lower is better (Brier 1950).

    A label is defined with any record that has a target. A rare label's score is small whatever the model: a constant
    prediction of its prevalence q gives q (1 - q).

    Raises:
        PredictionsError: predictions outside of 0 to 1; targets other than 0, 1, NaN; wrong shapes.
    """
    t, p = check_probabilities(targets, predictions)
    known = [~np.isnan(t[:, column]) for column in range(t.shape[1])]
    # Label by label: the errors of a large test set in float64 would be its largest array.
    total = [squared_errors(t[rows, column], p[rows, column]).sum() for column, rows in enumerate(known)]
    return ratio(np.array(total), np.array([rows.sum() for rows in known]))


def macro_brier(targets: ArrayLike, predictions: ArrayLike) -> float:
    """Mean of the labels' Brier scores; labels without records are left out."""
    return float(macro_mean(brier(targets, predictions)))


def squared_errors(targets: FloatArray, predictions: FloatArray) -> NDArray[np.float64]:
    """(prediction - target)^2 in float64, NaN where the target is missing."""
    return np.square(predictions.astype(np.float64) - targets)


def are_probabilities(predictions: FloatArray) -> bool:
    """Whether all values are from 0 to 1."""
    return bool(predictions.min() >= 0 and predictions.max() <= 1)


def check_probabilities(targets: ArrayLike, predictions: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The checked arrays of metrics that need probabilities."""
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    if not are_probabilities(p):
        raise PredictionsError(
            f"expected probabilities from 0 to 1, found {p.min():g} to {p.max():g}",
            fix="give the outputs after the sigmoid",
        )
    return t, p
