"""The validation metric that picks the best epoch."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.evaluation import macro_auroc, pooled_mae
from hf_ecg_bench.evaluation.undefined import Undefined
from hf_ecg_bench.tasks.task import SelectionMetric

GREATER_IS_BETTER: dict[SelectionMetric, bool] = {"macro_auroc": True, "composite": False, "mae": False}


def selection_metrics(
    targets: np.ndarray, predictions: np.ndarray, is_regression: np.ndarray, undefined: Undefined = "drop"
) -> dict[str, float]:
    """Macro AUROC over the yes/no targets, pooled MAE, and (1 - macro AUROC) + MAE where a task has both.

    Args:
        targets, predictions: (records, targets), NaN where a target is missing.
        is_regression: (targets,) bool.
        undefined: what a label without positives or negatives does to the macro AUROC.
    """
    result: dict[str, float] = {}
    yes_no = ~is_regression
    if yes_no.any():
        result["macro_auroc"] = float(macro_auroc(targets[:, yes_no], predictions[:, yes_no], undefined=undefined))
    if is_regression.any():
        result["mae"] = float(pooled_mae(targets[:, is_regression], predictions[:, is_regression]))
    if len(result) == 2:
        result["composite"] = (1.0 - result["macro_auroc"]) + result["mae"]
    return result


def check_selectable(targets: np.ndarray, is_regression: np.ndarray, metric: SelectionMetric) -> None:
    """Refuse to start where the validation records cannot tell one epoch from another.

    Raises:
        TrainingError: no yes/no target has both a positive and a negative record, or no regression target a value.
    """
    yes_no = targets[:, ~is_regression]
    defined = ((yes_no == 1).any(0) & (yes_no == 0).any(0)).any()
    measured = (~np.isnan(targets[:, is_regression])).any()
    if (metric in ("macro_auroc", "composite") and not defined) or (metric in ("mae", "composite") and not measured):
        raise TrainingError(
            f"the best epoch cannot be picked by {metric}: no target has both positive and negative records "
            f"(or any value) among the {len(targets)} validation records",
            fix="use the complete dataset, or a larger part of it (hf-ecg-bench prepare ... without --limit)",
        )
