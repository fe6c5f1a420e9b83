"""The metrics as `evaluate.Metric` modules, for use offline: make an instance, not `evaluate.load(name)`.

    metric = MaskedMacroAuroc()
    metric.add_batch(predictions=probabilities, references=targets)
    metric.compute()  # {"macro_auroc": ..., "n_undefined": ...}

`evaluate` writes every row through Arrow; on large test sets the plain functions of this package are faster.
"""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import ArrayLike

from hf_ecg_bench.evaluation.auroc import auroc, micro_auroc
from hf_ecg_bench.evaluation.average_precision import average_precision
from hf_ecg_bench.evaluation.mae import macro_mae, mae, pooled_mae
from hf_ecg_bench.evaluation.undefined import Undefined, macro_mean

_CITATION = "Hanley & McNeil (1982), Radiology 143(1); Willmott & Matsuura (2005), Climate Research 30."
_INPUTS = "predictions, references: one list of numbers per record, one number per target; NaN references are missing"


class _MaskedMetric(evaluate.Metric):
    """Rows of predictions and references as lists of floats; subclasses add description and computation."""

    description = ""

    def _info(self) -> evaluate.MetricInfo:
        # float64: rounding scores to float32 would make ties.
        row = datasets.Sequence(datasets.Value("float64"))
        return evaluate.MetricInfo(
            description=self.description,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": row, "references": row}),
        )


class MaskedMacroAuroc(_MaskedMetric):
    """`macro_auroc` and `n_undefined`; compute(undefined=...) takes the policies of `macro_mean`."""

    description = "Mean over labels of the exact area under the ROC curve, missing targets left out per label."

    def _compute(self, predictions: ArrayLike, references: ArrayLike, undefined: Undefined = "drop") -> dict[str, Any]:
        values = auroc(references, predictions)
        return {
            "macro_auroc": float(macro_mean(values, undefined)),
            "n_undefined": int(np.isnan(values).sum()),
        }


class MaskedAuroc(_MaskedMetric):
    """`auroc`: a list, one area per label, NaN where undefined."""

    description = "Exact area under the ROC curve per label; missing targets are left out."

    def _compute(self, predictions: ArrayLike, references: ArrayLike) -> dict[str, Any]:
        return {"auroc": auroc(references, predictions).tolist()}


class MaskedMicroAuroc(_MaskedMetric):
    """`micro_auroc`: one area over all (record, label) cells with a target."""

    description = "Exact area under the ROC curve over all cells that have a target."

    def _compute(self, predictions: ArrayLike, references: ArrayLike) -> dict[str, Any]:
        return {"micro_auroc": micro_auroc(references, predictions)}


class MaskedAveragePrecision(_MaskedMetric):
    """`macro_average_precision` and `average_precision`, a list with one value per label, NaN where undefined."""

    description = "Average precision per label and its mean over labels; missing targets are left out."

    def _compute(self, predictions: ArrayLike, references: ArrayLike) -> dict[str, Any]:
        values = average_precision(references, predictions)
        return {"macro_average_precision": float(macro_mean(values)), "average_precision": values.tolist()}


class MaskedMae(_MaskedMetric):
    """`macro_mae`, `pooled_mae` and `mae`, a list with one error per target, NaN where undefined."""

    description = "Mean absolute error per target, their mean, and the mean over all cells with a target."

    def _compute(self, predictions: ArrayLike, references: ArrayLike) -> dict[str, Any]:
        return {
            "macro_mae": macro_mae(references, predictions),
            "pooled_mae": pooled_mae(references, predictions),
            "mae": mae(references, predictions).tolist(),
        }
