"""Bootstrap intervals of a metric, per target and over all targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import check_arrays
from hf_ecg_bench.evaluation.estimates import Estimates, Metric, estimate
from hf_ecg_bench.evaluation.intervals import metric_interval
from hf_ecg_bench.evaluation.resampling import Resamples, draw_resamples
from hf_ecg_bench.evaluation.undefined import Undefined, check_policy


@dataclass(frozen=True, eq=False)
class TargetIntervals:
    """The same as the overall values, per target.

    Attributes:
        value, low, high: (targets,), NaN where undefined.
        samples: (resamples, targets), NaN where a resample lacks a class or any value.
        undefined_fraction: (targets,) share of such resamples.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    samples: NDArray[np.float64]
    undefined_fraction: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """A metric with its interval.

    Attributes:
        value, low, high: over all targets (macro, micro or pooled, as `metric` says).
        samples: (resamples,) the metric in every resample.
        per_target: the same per target.
        metric, undefined, confidence: as asked for.
        unit, n_groups, n_resamples, seed: what was resampled, how often, from which seed (or None).
    """

    value: float
    low: float
    high: float
    samples: NDArray[np.float64]
    per_target: TargetIntervals
    metric: str
    undefined: str
    confidence: float
    unit: Literal["record", "patient"]
    n_groups: int
    n_resamples: int
    seed: int | None


def bootstrap(
    targets: ArrayLike,
    predictions: ArrayLike,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
    indices: ArrayLike | None = None,
    undefined: Undefined = "drop",
    metric: Metric = "auroc",
    confidence: float = 0.95,
    thresholds: ArrayLike | None = None,
) -> Bootstrap:
    """Bootstrap of a metric; resamples are evaluated exactly, with ties and missing targets.

    Intervals are percentile intervals, for average precision basic ones (see `metric_interval`).

    Args:
        targets: (records, targets), NaN = missing; 0 or 1 for the AUROC metrics.
        predictions: (records, targets), finite.
        n_resamples: how many resamples.
        seed: of the draws; one seed per task makes all models share their resamples.
        groups: (records,) a patient per record: patients are drawn, with all their records.
        indices: (resamples, records) given resamples; with `groups`, positions among the sorted patients.
        undefined: what a label without positives or negatives does to the macro AUROC: `drop` (left out,
            also per resample), `half` (0.5, as published), `nan`, or `raise`. Per label, `drop` and `raise`
            take the interval over the defined resamples; `half` and `nan` make it NaN.
        metric: `auroc`, `average_precision`, `f1`, `brier`, `mae`, `r2` (means over targets), `micro_auroc`,
            `micro_average_precision`, `micro_f1` or `pooled_mae` (one value over all cells).
        confidence: level of the interval.
        thresholds: (targets,) for `f1` and `micro_f1`, from `choose_thresholds` on validation records.

    Raises:
        PredictionsError: arrays, groups or indices that cannot be used; undefined labels under `raise`.
    """
    check_policy(undefined)
    t, p = check_arrays(targets, predictions)
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=groups, indices=indices)
    return summarise_estimates(
        estimate(metric, t, p, resamples, undefined, thresholds), resamples, metric, undefined, confidence
    )


def summarise_estimates(
    estimates: Estimates, resamples: Resamples, metric: str, undefined: Undefined, confidence: float
) -> Bootstrap:
    """Intervals of values that were estimated on `resamples`."""
    low, high = metric_interval(metric, np.asarray(estimates.value), estimates.samples, confidence, undefined)
    return Bootstrap(
        value=estimates.value,
        low=float(low),
        high=float(high),
        samples=estimates.samples,
        per_target=target_intervals(
            metric.removeprefix("micro_"), estimates.target_value, estimates.target_samples, undefined, confidence
        ),
        metric=metric,
        undefined=undefined,
        confidence=confidence,
        unit=resamples.unit,
        n_groups=resamples.n_groups,
        n_resamples=resamples.n_resamples,
        seed=resamples.seed,
    )


def target_intervals(
    metric: str, value: NDArray[np.float64], samples: NDArray[np.float64], undefined: Undefined, confidence: float
) -> TargetIntervals:
    """Intervals per column of `samples` (resamples, targets)."""
    low, high = metric_interval(metric, value, samples, confidence, undefined)
    return TargetIntervals(value, low, high, samples, np.isnan(samples).mean(axis=0))
