"""F1 at given thresholds: per label, macro, micro, and sample-centric (per record, as multi-label work reports it)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.arrays import FloatArray, check_arrays, check_binary
from hf_ecg_bench.evaluation.ratio import ratio
from hf_ecg_bench.evaluation.undefined import macro_mean

Floats = NDArray[np.float64]


def f1(targets: ArrayLike, predictions: ArrayLike, thresholds: ArrayLike) -> Floats:
    """F1 per label, shape (targets,): 2 TP / (2 TP + FP + FN) where scores from the threshold upwards are called.

    Args:
        thresholds: (targets,) from validation records (`choose_thresholds`); NaN where there is none.

    Returns:
        NaN without a threshold or without positive records; records with a NaN target are left out per label.

    Raises:
        PredictionsError: shapes or values that do not fit.
    """
    t, p, limits = _check(targets, predictions, thresholds)
    hit, called, positive = label_cells(t, p, limits)
    return f1_of(hit.sum(axis=0), called.sum(axis=0), positive.sum(axis=0), limits)


def macro_f1(targets: ArrayLike, predictions: ArrayLike, thresholds: ArrayLike) -> float:
    """Mean of the labels' F1; undefined labels are left out."""
    return float(macro_mean(f1(targets, predictions, thresholds)))


def micro_f1(targets: ArrayLike, predictions: ArrayLike, thresholds: ArrayLike) -> float:
    """One F1 over all (record, label) cells of the labels that have a threshold."""
    t, p, limits = _check(targets, predictions, thresholds)
    hit, called, positive = label_cells(t, p, limits)
    return float(micro_f1_of(hit.sum(axis=0), called.sum(axis=0), positive.sum(axis=0), limits))


def sample_f1(targets: ArrayLike, predictions: ArrayLike, threshold: float) -> float:
    """Sample-centric F1 at one threshold for all labels; its largest value over thresholds is the Fmax.

    The harmonic mean of the precision, averaged over records with at least one label called, and of the recall,
    averaged over records with at least one positive label (Radivojac et al. 2013; for ECGs Strodthoff et al. 2021).
    NaN without positives.
    """
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    return float(sample_f1_of(sample_parts(t, p, threshold).sum(axis=0)))


def label_cells(t: FloatArray, p: FloatArray, thresholds: Floats) -> tuple[NDArray[np.bool_], ...]:
    """(records, labels) each: called rightly, called at all, positive; of labels with a threshold and known targets."""
    positive = (t == 1) & ~np.isnan(thresholds)
    called = (p >= thresholds) & ~np.isnan(t)
    return positive & called, called, positive


def f1_of(hit: Floats, called: Floats, positive: Floats, thresholds: Floats) -> Floats:
    """F1 from sums over records, last axis labels; NaN without positives or threshold."""
    return ratio(2.0 * hit, called + positive, (positive > 0) & ~np.isnan(thresholds))


def micro_f1_of(hit: Floats, called: Floats, positive: Floats, thresholds: Floats) -> Floats:
    """The same over all labels with a threshold."""
    known = ~np.isnan(thresholds)
    hit, called, positive = (sums[..., known].sum(axis=-1) for sums in (hit, called, positive))
    return ratio(2.0 * hit, called + positive, positive > 0)


def sample_parts(t: FloatArray, p: FloatArray, threshold: float) -> Floats:
    """(records, 4): precision (0 without a call), any label called, recall (0 without a positive), any positive."""
    positive = t == 1
    called = (p >= threshold) & ~np.isnan(t)
    n_hit, n_called, n_positive = (
        cells.sum(axis=1, dtype=np.float64) for cells in (positive & called, called, positive)
    )
    return np.column_stack(
        [n_hit / np.maximum(n_called, 1), n_called > 0, n_hit / np.maximum(n_positive, 1), n_positive > 0]
    )


def sample_f1_of(sums: Floats) -> Floats:
    """Sample-centric F1 from sums of `sample_parts`, last axis the 4 parts; NaN without positive records."""
    precision, recall = sums[..., 0] / np.maximum(sums[..., 1], 1), sums[..., 2] / np.maximum(sums[..., 3], 1)
    both = precision + recall
    return np.where(sums[..., 3] > 0, 2 * precision * recall / np.where(both > 0, both, 1.0), np.nan)


def _check(targets: ArrayLike, predictions: ArrayLike, thresholds: ArrayLike) -> tuple[FloatArray, FloatArray, Floats]:
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    limits = np.asarray(thresholds, dtype=np.float64)
    if limits.shape != (t.shape[1],):
        raise PredictionsError(
            f"thresholds: expected one per label, shape ({t.shape[1]},), found {limits.shape}",
            fix="choose_thresholds(validation_targets, validation_predictions).labels",
        )
    return t, p, limits
