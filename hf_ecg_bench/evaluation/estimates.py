"""Metrics of the original records and of every resample, per target and over all targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import PredictionsError, unknown_name
from hf_ecg_bench.evaluation.arrays import FloatArray
from hf_ecg_bench.evaluation.blocks import (
    Block,
    Overall,
    auroc_block,
    brier_block,
    curve_blocks,
    f1_block,
    mae_block,
    r2_block,
)
from hf_ecg_bench.evaluation.micro import micro_curves
from hf_ecg_bench.evaluation.resampling import Resamples
from hf_ecg_bench.evaluation.undefined import Undefined, macro_mean

Metric = Literal[
    "auroc", "micro_auroc", "average_precision", "micro_average_precision", "f1", "micro_f1", "brier",
    "mae", "pooled_mae", "r2",
]  # fmt: skip
LOWER_IS_BETTER: frozenset[Metric] = frozenset({"brier", "mae", "pooled_mae"})


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
    thresholds: ArrayLike | None = None,
) -> Estimates:
    """Evaluate `metric` on the records and on each resample of checked arrays.

    Args:
        metric: `auroc`, `average_precision`, `f1`, `brier`, `mae`, `r2` (macro: means over targets), or their
            `micro_auroc`, `micro_average_precision`, `micro_f1`, `pooled_mae`.
        undefined: policy for the macro AUROC; `raise` concerns the original records, resamples then drop. The other
            metrics leave undefined targets out.
        thresholds: (targets,) for `f1` and `micro_f1`.

    Raises:
        PredictionsError: F1 without thresholds, predictions that are no probabilities for `brier`.
    """
    arrays = targets, predictions
    if metric == "auroc":
        return _macro(auroc_block(*arrays, resamples), undefined)
    if metric == "micro_auroc":
        return _with(micro_curves(*arrays, resamples)[0], auroc_block(*arrays, resamples))
    if metric == "average_precision":
        return _macro(curve_blocks(*arrays, resamples)[1])
    if metric == "micro_average_precision":
        return _with(micro_curves(*arrays, resamples)[1], curve_blocks(*arrays, resamples)[1])
    if metric in ("f1", "micro_f1"):
        if thresholds is None:
            raise PredictionsError(
                f"{metric} needs thresholds that were chosen on other records",
                fix="thresholds=choose_thresholds(validation_targets, validation_predictions).labels",
            )
        block, micro = f1_block(*arrays, np.asarray(thresholds, dtype=np.float64), resamples)
        return _with(micro, block) if metric == "micro_f1" else _macro(block)
    if metric == "brier":
        return _macro(brier_block(*arrays, resamples))
    if metric in ("mae", "pooled_mae"):
        block, pooled = mae_block(*arrays, resamples)
        return _with(pooled, block) if metric == "pooled_mae" else _macro(block)
    if metric == "r2":
        return _macro(r2_block(*arrays, resamples))
    raise unknown_name("metric", metric, get_args(Metric))


def macro_of(block: Block, undefined: Undefined = "drop") -> Overall:
    """The mean over targets, also per resample; `raise` concerns the original records alone."""
    in_resamples: Undefined = "drop" if undefined == "raise" else undefined
    return float(macro_mean(block.value, undefined)), macro_mean(block.samples, in_resamples)


def _macro(block: Block, undefined: Undefined = "drop") -> Estimates:
    return _with(macro_of(block, undefined), block)


def _with(overall: Overall, block: Block) -> Estimates:
    return Estimates(*overall, block.value, block.samples)
