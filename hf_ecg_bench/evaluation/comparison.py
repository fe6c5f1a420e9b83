"""Paired comparison of two models on the same records: the difference in every shared resample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import check_arrays
from hf_ecg_bench.evaluation.bootstrap import TargetIntervals
from hf_ecg_bench.evaluation.estimates import Estimates, Metric, estimate
from hf_ecg_bench.evaluation.intervals import difference_interval
from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.evaluation.resampling import draw_resamples
from hf_ecg_bench.evaluation.undefined import Undefined, check_policy


@dataclass(frozen=True, eq=False)
class TargetDifferences(TargetIntervals):
    """Differences per target.

    Attributes:
        p: (targets,) two-sided, of each target alone.
        p_adjusted: the same adjusted by Holm for the number of targets; NaN, of undefined ones, counts for none.
    """

    p: NDArray[np.float64]
    p_adjusted: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Metric of A minus metric of B.

    Attributes:
        value, low, high: difference over all targets and its interval (see `difference_interval`).
        p: two-sided, 2 min(#{d <= 0} + 1, #{d >= 0} + 1) / (B + 1), at most 1.
        samples: (resamples,) the difference in every resample.
        per_target: the same per target.
        unit, n_groups, n_resamples, seed: as in `Bootstrap`.
    """

    value: float
    low: float
    high: float
    p: float
    samples: NDArray[np.float64]
    per_target: TargetDifferences
    metric: str
    undefined: str
    confidence: float
    unit: Literal["record", "patient"]
    n_groups: int
    n_resamples: int
    seed: int | None

    @property
    def significant(self) -> bool:
        """Whether the interval excludes 0 (before any adjustment for several comparisons)."""
        return bool(self.low > 0 or self.high < 0)


def compare(
    targets: ArrayLike,
    predictions_a: ArrayLike,
    predictions_b: ArrayLike,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
    indices: ArrayLike | None = None,
    undefined: Undefined = "drop",
    metric: Metric = "auroc",
    confidence: float = 0.95,
    thresholds_a: ArrayLike | None = None,
    thresholds_b: ArrayLike | None = None,
) -> Comparison:
    """Paired bootstrap of A - B on the same records; the other arguments are those of `bootstrap`.

    Args:
        thresholds_a, thresholds_b: (targets,) each model's own, for `f1` and `micro_f1`.

    Do not judge two models by whether their own intervals overlap: the paired difference is much sharper.
    """
    check_policy(undefined)
    t, a = check_arrays(targets, predictions_a)
    _, b = check_arrays(targets, predictions_b)
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=groups, indices=indices)
    first, second = (
        estimate(metric, t, p, resamples, undefined, thresholds)
        for p, thresholds in ((a, thresholds_a), (b, thresholds_b))
    )
    d = difference(first, second)
    low, high, p = difference_interval(metric, np.asarray(d.value), d.samples, confidence, undefined)
    of_target = metric.removeprefix("micro_")
    ends = difference_interval(of_target, d.target_value, d.target_samples, confidence, undefined)
    return Comparison(
        value=d.value,
        low=float(low),
        high=float(high),
        p=float(p),
        samples=d.samples,
        per_target=TargetDifferences(
            d.target_value,
            *ends[:2],
            d.target_samples,
            np.isnan(d.target_samples).mean(axis=0),
            ends[2],
            holm_of_defined(ends[2]),
        ),
        metric=metric,
        undefined=undefined,
        confidence=confidence,
        unit=resamples.unit,
        n_groups=resamples.n_groups,
        n_resamples=resamples.n_resamples,
        seed=resamples.seed,
    )


def difference(first: Estimates, second: Estimates) -> Estimates:
    """Value by value, resample by resample."""
    return Estimates(
        first.value - second.value,
        first.samples - second.samples,
        first.target_value - second.target_value,
        first.target_samples - second.target_samples,
    )
