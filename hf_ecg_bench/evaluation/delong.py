"""Single AUROCs without resampling: interval, and the test of two models on the same records.

Valid from about ten positives and ten negatives on; below that, take the bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import unknown_name
from hf_ecg_bench.evaluation.arrays import check_arrays, check_binary
from hf_ecg_bench.evaluation.influence import placement_values
from hf_ecg_bench.evaluation.intervals import check_confidence
from hf_ecg_bench.evaluation.resampling import group_index, known_groups

Floats = NDArray[np.float64]
Scale = Literal["logit", "normal"]


@dataclass(frozen=True)
class AurocInterval:
    """One AUROC.

    Attributes:
        value, standard_error: of the AUROC; NaN where a class has no record, the error also with fewer than two.
        low, high: the interval; NaN without a standard error, and on the logit scale at 0 or 1.
        scale, confidence: as asked for.
    """

    value: float
    standard_error: float
    low: float
    high: float
    scale: str
    confidence: float


@dataclass(frozen=True)
class DelongTest:
    """AUROC of A minus AUROC of B on the same records.

    Attributes:
        value, standard_error: of the difference.
        low, high: value -+ quantile x standard error.
        z, p: of difference = 0, two-sided; p is not adjusted for other tests (`holm`).
        areas: the two AUROCs.
        confidence: of the interval.
    """

    value: float
    standard_error: float
    low: float
    high: float
    z: float
    p: float
    areas: tuple[float, float]
    confidence: float


def delong_interval(
    target: ArrayLike,
    score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    scale: Scale = "logit",
    confidence: float = 0.95,
) -> AurocInterval:
    """Interval of one AUROC from its standard error (DeLong, DeLong & Clarke-Pearson 1988).

    Args:
        target, score: (records,); targets 0, 1 or NaN (left out).
        groups: (records,) a patient per record: records of a patient are then not taken as independent (Obuchowski
            1997); None where each record is another patient's.
        scale: `logit` computes the interval of log(A / (1 - A)) and transforms back: it stays within 0 and 1 and
            covers better near them (Qin & Hotilovac 2008); `normal` is A -+ quantile x standard error, cut at 0 and 1.

    Raises:
        PredictionsError: arrays or groups that do not fit.
        EcgBenchError: another scale, or a confidence outside of 0 and 1.
    """
    if scale not in get_args(Scale):
        raise unknown_name("scale", scale, get_args(Scale))
    quantile = _quantile(confidence)
    areas, covariance = delong_covariance(target, np.asarray(score)[:, None], groups=groups)
    value, error = float(areas[0]), float(np.sqrt(covariance[0, 0]))
    if scale == "normal":
        low, high = max(0.0, value - quantile * error), min(1.0, value + quantile * error)
        if math.isnan(error):
            low = high = math.nan
    elif 0 < value < 1:
        centre, half = math.log(value / (1 - value)), quantile * error / (value * (1 - value))
        low, high = (1 / (1 + math.exp(-end)) for end in (centre - half, centre + half))
    else:
        low = high = math.nan
    return AurocInterval(value, error, low, high, scale, confidence)


def delong_test(
    target: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> DelongTest:
    """Whether two models have different AUROCs on the same records, with their correlation.

    The arguments are those of `delong_interval`. Two identical rankings give a difference of 0 and p = 1, a
    difference without any variance p = 0.
    """
    quantile = _quantile(confidence)
    areas, covariance = delong_covariance(target, np.column_stack([score_a, score_b]), groups=groups)
    value = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    if math.isnan(variance):
        error = z = p = math.nan
    elif variance > 1e-15 * float(np.trace(covariance)):
        error = math.sqrt(variance)
        z = value / error
        p = math.erfc(abs(z) / math.sqrt(2))
    else:  # equal rankings: what is left of variances that cancel is rounding
        error = 0.0
        z = math.copysign(math.inf, value) if value else 0.0
        p = 0.0 if value else 1.0
    ends = value - quantile * error, value + quantile * error
    return DelongTest(value, error, *ends, z, p, (float(areas[0]), float(areas[1])), confidence)


def delong_covariance(
    target: ArrayLike, scores: ArrayLike, *, groups: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """AUROCs of several scores of one label, and their covariance.

    With V the placements (of a positive the share of negatives that it beats, of a negative the share of positives
    that beat it; ties 1/2), D = V - AUROC, m positives and n negatives, and sums over the records of each patient:
    cov = I1 / ((I1 - 1) m^2) sum D+ D+' + I0 / ((I0 - 1) n^2) sum D- D-' + I / ((I - 1) m n) sum (D+ D-' + D- D+'),
    where I1, I0 and I count patients with positives, with negatives, and all (Obuchowski 1997). With one record a
    patient the last term is 0 and the rest is DeLong's.

    Args:
        target: (records,) 0, 1 or NaN (left out).
        scores: (records, models).

    Returns:
        (models,) and (models, models); the covariance is NaN with fewer than two patients with a positive, or with a
        negative.
    """
    p = np.asarray(scores)
    t, p = check_arrays(np.broadcast_to(np.asarray(target)[:, None], p.shape), p)
    check_binary(t)
    y = t[:, 0]
    groups = known_groups(groups)
    index = np.arange(len(y)) if groups is None else group_index(groups, len(y))[0]
    known = ~np.isnan(y)
    y, p, index = y[known], p[known], np.unique(index[known], return_inverse=True)[1]
    m, n, number = int((y == 1).sum()), int((y == 0).sum()), p.shape[1]
    if not m or not n:
        return np.full(number, np.nan), np.full((number, number), np.nan)
    total = int(index.max()) + 1
    areas = np.empty(number)
    sums = np.zeros((2, total, number))  # of positives and of negatives, by patient
    for k in range(number):
        of_positive, of_negative = placement_values(y, p[:, k])
        areas[k] = of_positive.mean()
        for own, placed, cls in zip(sums, (of_positive, of_negative), (1, 0), strict=True):
            own[:, k] = np.bincount(index[y == cls], placed - areas[k], minlength=total)
    with_positive, with_negative = (len(np.unique(index[y == cls])) for cls in (1, 0))
    if min(with_positive, with_negative) < 2:
        return areas, np.full((number, number), np.nan)
    positive, negative = sums
    covariance = (
        positive.T @ positive * (with_positive / ((with_positive - 1) * m**2))
        + negative.T @ negative * (with_negative / ((with_negative - 1) * n**2))
        + (positive.T @ negative + negative.T @ positive) * (total / ((total - 1) * m * n))
    )
    return areas, covariance


def _quantile(confidence: float) -> float:
    check_confidence(confidence)
    return NormalDist().inv_cdf((1 + confidence) / 2)
