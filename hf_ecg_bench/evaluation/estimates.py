"""Metrics of the original records and of every resample, per target and over all targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import unknown_name
from hf_ecg_bench.evaluation.arrays import FloatArray, check_binary
from hf_ecg_bench.evaluation.auroc import auroc, micro_auroc
from hf_ecg_bench.evaluation.mae import absolute_errors, mae, pooled_mae
from hf_ecg_bench.evaluation.resampling import Resamples
from hf_ecg_bench.evaluation.undefined import Undefined, macro_mean
from hf_ecg_bench.evaluation.weighted_auroc import label_order, weighted_auroc

Metric = Literal["auroc", "micro_auroc", "mae", "pooled_mae"]


@dataclass(frozen=True, eq=False)
class Estimates:
    """A metric's values, NaN where undefined.

    Attributes:
        value: over all targets (macro, micro or pooled); `samples`: the same per resample, (resamples,).
        target_value: (targets,); `target_samples`: (resamples, targets).
    """

    value: float
    samples: NDArray[np.float64]
    target_value: NDArray[np.float64]
    target_samples: NDArray[np.float64]


def estimate(
    metric: Metric,
    targets: FloatArray,
    predictions: FloatArray,
    resamples: Resamples,
    undefined: Undefined = "drop",
) -> Estimates:
    """Evaluate `metric` on the records and on each resample of checked arrays.

    Args:
        metric: `auroc` (macro over labels), `micro_auroc`, `mae` (macro over targets) or `pooled_mae`.
        undefined: policy for the macro AUROC; `raise` concerns the original records, resamples then drop.
    """
    if metric in ("auroc", "micro_auroc"):
        return _auroc_estimates(metric, targets, predictions, resamples, undefined)
    if metric in ("mae", "pooled_mae"):
        return _mae_estimates(metric, targets, predictions, resamples)
    raise unknown_name("metric", metric, get_args(Metric))


def _auroc_estimates(
    metric: Metric, targets: FloatArray, predictions: FloatArray, resamples: Resamples, undefined: Undefined
) -> Estimates:
    check_binary(targets)
    values = auroc(targets, predictions)
    samples = np.empty((resamples.n_resamples, targets.shape[1]))
    for column in range(targets.shape[1]):
        order = label_order(targets[:, column], predictions[:, column])
        samples[:, column] = weighted_auroc(order, resamples.counts)
    if metric == "micro_auroc":
        order = label_order(targets.ravel(), predictions.ravel())
        cells = None if order is None else order.of_rows(targets.shape[1])
        # Every cell of a record counts: the sums grow by the number of labels.
        counts = resamples.counts.astype(np.uint32)
        return Estimates(micro_auroc(targets, predictions), weighted_auroc(cells, counts), values, samples)
    in_resamples: Undefined = "drop" if undefined == "raise" else undefined
    return Estimates(float(macro_mean(values, undefined)), macro_mean(samples, in_resamples), values, samples)


def _mae_estimates(metric: Metric, targets: FloatArray, predictions: FloatArray, resamples: Resamples) -> Estimates:
    errors = absolute_errors(targets, predictions)
    valid = ~np.isnan(errors)
    counts = resamples.counts.T.astype(np.float64)
    total, number = counts @ np.where(valid, errors, 0.0), counts @ valid.astype(np.float64)
    samples = _ratio(total, number)
    values = mae(targets, predictions)
    if metric == "pooled_mae":
        pooled = _ratio(total.sum(axis=1), number.sum(axis=1))
        return Estimates(pooled_mae(targets, predictions), pooled, values, samples)
    return Estimates(float(macro_mean(values)), macro_mean(samples), values, samples)


def _ratio(total: NDArray[np.float64], number: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
