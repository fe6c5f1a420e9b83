"""Mean absolute error per target, pooled and macro, and the composite of classification and regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, binary_columns, check_arrays
from hf_ecg_bench.evaluation.auroc import macro_auroc
from hf_ecg_bench.evaluation.undefined import Undefined, macro_mean


def absolute_errors(targets: FloatArray, predictions: FloatArray) -> NDArray[np.float64]:
    """|prediction - target| in float64, NaN where the target is missing; same shape as the inputs."""
    return np.abs(predictions.astype(np.float64) - targets)


def mae(targets: ArrayLike, predictions: ArrayLike) -> NDArray[np.float64]:
    """Mean absolute error per target, shape (targets,), in the targets' unit; NaN without any value."""
    errors = absolute_errors(*check_arrays(targets, predictions))
    count = (~np.isnan(errors)).sum(axis=0)
    return np.divide(np.nansum(errors, axis=0), count, out=np.full(len(count), np.nan), where=count > 0)


def macro_mae(targets: ArrayLike, predictions: ArrayLike) -> float:
    """Mean of the targets' errors; targets without values are left out."""
    return float(macro_mean(mae(targets, predictions), "drop"))


def pooled_mae(targets: ArrayLike, predictions: ArrayLike) -> float:
    """Mean over all cells with a target, so that targets weigh by their number (the published "mae")."""
    errors = absolute_errors(*check_arrays(targets, predictions))
    valid = ~np.isnan(errors)
    return float(errors[valid].mean()) if valid.any() else float("nan")


def composite(
    targets: ArrayLike, predictions: ArrayLike, kinds: Sequence[str], *, undefined: Undefined = "drop"
) -> float:
    """(1 - macro AUROC of the binary targets) + pooled MAE of the regression targets; lower is better.

    The published model selection score; regression targets are expected in training standard deviations.
    """
    t, p = check_arrays(targets, predictions)
    binary = binary_columns(kinds)
    return 1.0 - macro_auroc(t[:, binary], p[:, binary], undefined=undefined) + pooled_mae(t[:, ~binary], p[:, ~binary])
