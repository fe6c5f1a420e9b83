"""A linear probe without training: closed-form ridge regression, each record predicted without its patient's fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.selecting.transfer.columns import Floats, Targets, check_features, same_records

#: Penalties that are tried, as multiples of the mean eigenvalue of the features' covariance.
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True, eq=False)
class Probe:
    """Predictions (records, targets), NaN where there are none; and the penalty chosen for each target, (targets,)."""

    predictions: Floats
    penalty: Floats


def probe(features: ArrayLike, targets: Targets, patients: ArrayLike, *, folds: int = 5, seed: int = 0) -> Probe:
    """Out-of-fold predictions of ridge regression with an intercept; folds are of whole patients.

    The penalty of each target is the one with the smallest squared error over all folds (not the best AUROC, which
    would flatter).

    Raises:
        EcgBenchError: shapes that do not fit, or fewer patients than folds.
    """
    f = check_features(features, len(targets.values)).astype(np.float64)
    _, group = np.unique(np.asarray(patients), return_inverse=True)
    if len(group) != len(f):
        raise EcgBenchError(f"expected a patient for each of {len(f)} records, found {len(group)}")
    number = int(group.max(initial=-1)) + 1
    if number < folds:
        raise EcgBenchError(f"{folds} folds need as many patients, found {number}")
    fold = (np.random.default_rng(seed).permutation(number) % folds)[group]
    spread = f.std(0)
    f = (f - f.mean(0)) / np.where(spread > 0, spread, 1)
    predictions = np.full((len(PENALTIES), *targets.values.shape), np.nan)
    for columns, records in same_records(targets):
        own = f[records]
        y = targets.values[np.ix_(records, columns)]
        for number, part in enumerate(_out_of_fold(own, y, fold[records], folds)):
            predictions[number][np.ix_(records, columns)] = part
    usable = np.flatnonzero(targets.usable)
    chosen = np.zeros(targets.values.shape[1], int)
    for column in usable:
        error = (predictions[:, :, column] - targets.values[:, column]) ** 2
        chosen[column] = np.nansum(error, axis=1).argmin()
    best = np.take_along_axis(predictions, chosen[None, None, :], 0)[0]
    return Probe(best, np.where(targets.usable, np.array(PENALTIES)[chosen], np.nan))


def _out_of_fold(f: Floats, y: Floats, fold: NDArray[np.int64], folds: int) -> Floats:
    """(penalties, records, targets): sums over all records, less those of the fold, give each fold's fit."""
    total, cross = f.T @ f, f.T @ y
    sums, y_sums = f.sum(0), y.sum(0)
    result = np.full((len(PENALTIES), *y.shape), np.nan)
    for number in range(folds):
        out = fold == number
        n = int((~out).sum())
        if not out.any() or n < 2:
            continue
        held, y_held = f[out], y[out]
        mean, y_mean = (sums - held.sum(0)) / n, (y_sums - y_held.sum(0)) / n
        covariance = (total - held.T @ held) / n - np.outer(mean, mean)
        along = (cross - held.T @ y_held) / n - np.outer(mean, y_mean)
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, 0)
        unit = max(float(values.mean()), 1e-12)
        turned, rotated = (held - mean) @ vectors, vectors.T @ along
        for place, penalty in enumerate(PENALTIES):
            result[place][out] = turned @ (rotated / (values + penalty * unit)[:, None]) + y_mean
    return result
