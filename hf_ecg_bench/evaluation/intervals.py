"""Intervals and two-sided p values from resampled values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.evaluation.undefined import Undefined

Floats = NDArray[np.float64]


def check_confidence(confidence: float) -> None:
    """Refuse a level that is not between 0 and 1."""
    if not 0 < confidence < 1:
        raise EcgBenchError(f"confidence: expected a number between 0 and 1, found {confidence}", fix="confidence=0.95")


def percentile_interval(samples: Floats, confidence: float, undefined: Undefined = "drop") -> tuple[Floats, Floats]:
    """Low and high end over the first axis (resamples).

    Linear interpolation between order statistics (Efron & Tibshirani 1993, chapter 13).
    Undefined resamples are left out under `drop` and `raise`; under `half` and `nan` one of them makes the
    ends NaN, as in the published benchmark.
    """
    check_confidence(confidence)
    tails = [50 * (1 - confidence), 50 * (1 + confidence)]
    ends = np.percentile(samples, tails, axis=0)
    if undefined in ("drop", "raise"):
        columns = samples.reshape(len(samples), -1)
        flat = ends.reshape(2, -1)
        for column in np.flatnonzero(np.isnan(columns).any(axis=0)):
            defined = columns[~np.isnan(columns[:, column]), column]
            if len(defined):
                flat[:, column] = np.percentile(defined, tails)
        ends = flat.reshape(ends.shape)
    return ends[0], ends[1]


#: Metrics whose resamples lie above their value: a record that is drawn twice ranks beside itself, and chance is added
#: to chance where absolute differences are summed.
BIASED = ("average_precision", "micro_average_precision", "macro_average_precision", "calibration_error")


def metric_interval(
    metric: str, value: Floats, samples: Floats, confidence: float, undefined: Undefined = "drop"
) -> tuple[Floats, Floats]:
    """The percentile interval; of metrics with `BIASED` resamples the basic one, 0 to 1, extended to the value.

    The basic interval reflects the percentiles at the value (Efron & Tibshirani 1993, chapter 13): by as much as the
    resamples lie above the value, the value lies above the truth. Of 150 simulated sets of 1,000 records with 20
    labels, the rarest with 15 positives, 95 % percentile intervals covered the true macro average precision in 81 %,
    basic ones in 91 %; with 1.5 expected positives in 28 % and 85 %.
    """
    low, high = percentile_interval(samples, confidence, undefined)
    if metric not in BIASED:
        return low, high
    low, high = np.clip(2 * value - high, 0, 1), np.clip(2 * value - low, 0, 1)
    return np.minimum(low, value), np.maximum(high, value)


def difference_interval(
    metric: str, value: Floats, samples: Floats, confidence: float, undefined: Undefined = "drop"
) -> tuple[Floats, Floats, Floats]:
    """(low, high, two-sided p) of a paired difference: as `metric_interval`, not limited to 0 to 1."""
    if metric in BIASED:
        samples = 2 * value - samples
    return (*percentile_interval(samples, confidence, undefined), two_sided_p(samples))


def two_sided_p(differences: Floats) -> Floats:
    """p = 2 min(#{d <= 0} + 1, #{d >= 0} + 1) / (B + 1), at most 1, over the first axis.

    B counts the defined resamples; NaN where no resample is defined.
    """
    number = (~np.isnan(differences)).sum(axis=0)
    smaller = np.minimum((differences <= 0).sum(axis=0), (differences >= 0).sum(axis=0))
    return np.where(number > 0, np.minimum(1.0, 2.0 * (smaller + 1) / (number + 1)), np.nan)
