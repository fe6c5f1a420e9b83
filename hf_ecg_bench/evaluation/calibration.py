"""Expected calibration error over all (record, label) cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray
from hf_ecg_bench.evaluation.brier import check_probabilities

Floats = NDArray[np.float64]

N_BINS = 15
_ROWS = 4096


def calibration_error(targets: ArrayLike, predictions: ArrayLike, *, n_bins: int = N_BINS) -> float:
    """Mean distance between predicted and observed share of positives, over bins of equal mass; lower is better.

    All cells with a target are pooled and cut into `n_bins` bins at the quantiles of the predictions (equal
    predictions stay together); the error is sum over bins of |sum of (prediction - target)| / number of cells
    (Naeini et al. 2015; equal mass: Nguyen & O'Connor 2015). Chance alone makes it larger than 0, more so with few
    cells: about sum of sqrt(2 p (1 - p) / (pi n_b)) over bins of n_b cells, weighted by n_b.
    Labels are pooled because rare ones have too few positives for bins of their own; what one label has too much
    another one can hide.

    Raises:
        PredictionsError: predictions outside of 0 to 1; targets other than 0, 1, NaN; wrong shapes.
    """
    t, p = check_probabilities(targets, predictions)
    excess, number = binned_excess(t, p, n_bins)
    return float(calibration_error_of(excess.sum(axis=0), number.sum(axis=0)))


def binned_excess(t: FloatArray, p: FloatArray, n_bins: int = N_BINS) -> tuple[Floats, Floats]:
    """(records, bins) each: sums of prediction - target over the record's cells in a bin, and their numbers."""
    cells = p[~np.isnan(t)]
    if not len(cells):
        return np.zeros((len(t), n_bins)), np.zeros((len(t), n_bins))
    cuts = np.arange(1, n_bins) * len(cells) // n_bins
    edges = np.partition(cells, cuts)[cuts]
    excess, number = np.empty((len(t), n_bins)), np.empty((len(t), n_bins))
    for start in range(0, len(t), _ROWS):
        rows = slice(start, start + _ROWS)
        known = ~np.isnan(t[rows])
        bins = np.searchsorted(edges, p[rows][known], "right")
        size = len(known) * n_bins
        place = np.repeat(np.arange(len(known)), known.sum(axis=1)) * n_bins + bins
        difference = p[rows][known].astype(np.float64) - t[rows][known]
        excess[rows] = np.bincount(place, difference, minlength=size).reshape(-1, n_bins)
        number[rows] = np.bincount(place, minlength=size).reshape(-1, n_bins)
    return excess, number


def calibration_error_of(excess: Floats, number: Floats) -> Floats:
    """The error from sums over records, last axis bins; NaN without cells."""
    cells = number.sum(axis=-1)
    return np.where(cells > 0, np.abs(excess).sum(axis=-1) / np.maximum(cells, 1), np.nan)
