"""The overall metrics of a result: their names, which way is better, and the order that follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.target_scores import mapping


@dataclass(frozen=True)
class Metric:
    """How a metric of `evaluation.summary.summarise` is called, which way is better, and what it means."""

    name: str
    higher_is_better: bool = True
    meaning: str = ""


METRICS = {
    "macro_auroc": Metric("Macro AUROC", True, "mean of the labels' AUROCs"),
    "macro_auroc_supported": Metric(
        "Macro AUROC, supported labels", True, "mean over labels with at least 10 positives and 10 negatives"
    ),
    "macro_average_precision": Metric(
        "Macro average precision",
        True,
        "mean of the labels' average precisions; without skill a label has its share of positives",
    ),
    "micro_auroc": Metric("Micro AUROC", True, "one AUROC over all pairs of record and label"),
    "micro_average_precision": Metric(
        "Micro average precision", True, "one average precision over all pairs of record and label"
    ),
    "macro_f1": Metric(
        "Macro F1", True, "mean of the labels' F1, each at the threshold with its best F1 on validation records"
    ),
    "micro_f1": Metric("Micro F1", True, "one F1 over all pairs of record and label, at the labels' thresholds"),
    "sample_fmax": Metric(
        "Sample-centric Fmax",
        True,
        "F1 from precision and recall averaged over records, at the one threshold that is best on validation records",
    ),
    "macro_brier": Metric(
        "Macro Brier score", False, "mean of the labels' mean squared errors of the probability; lower is better"
    ),
    "calibration_error": Metric(
        "Calibration error",
        False,
        "distance of predicted and observed share of positives over 15 bins of equal mass, all labels pooled; lower "
        "is better, chance alone makes it larger than 0",
    ),
    "macro_mae": Metric("Macro MAE", False, "mean of the targets' mean absolute errors, z-units"),
    "pooled_mae": Metric("Pooled MAE", False, "mean absolute error over all values of all targets, z-units"),
    "macro_r2": Metric(
        "Macro R2", True, "mean of the targets' R2; 0 is as good as the mean of the test records, 1 is perfect"
    ),
    "composite": Metric("Composite", False, "1 - macro AUROC + pooled MAE; lower is better"),
}

#: Metrics of one target, as `metrics.targets` of a result has them.
TARGET_METRICS = {
    "auroc": Metric("AUROC", True, "share of pairs of a positive and a negative record in the right order"),
    "average_precision": Metric("Average precision", True, "mean of the precision at each positive record's score"),
    "f1": Metric("F1", True, "at the threshold with the best F1 on validation records"),
    "brier": Metric("Brier score", False, "mean squared error of the probability"),
    "mae": Metric("MAE", False, "mean absolute error, z-units"),
    "r2": Metric("R2", True, "share of the targets' variance that is explained"),
}

COMPARED = ("macro_auroc", "pooled_mae", "composite")


def metric_estimates(result: Result) -> dict[str, Estimate]:
    """The result's overall metrics by name, in its own order."""
    metrics = mapping(result.metrics.get("metrics"), "metrics.metrics")
    return {name: Estimate.from_json(raw, f"metrics.metrics.{name}") for name, raw in metrics.items()}


def primary_metric(result: Result) -> str:
    """The metric that a result is compared by: macro AUROC where it has labels, else its first metric."""
    metrics = metric_estimates(result)
    return "macro_auroc" if "macro_auroc" in metrics or not metrics else next(iter(metrics))


def metric_name(metric: str) -> str:
    """The name of a metric in tables and figures."""
    return METRICS[metric].name if metric in METRICS else metric


def higher_is_better(metric: str) -> bool:
    """The direction of a metric; unknown ones are taken as scores."""
    return METRICS[metric].higher_is_better if metric in METRICS else True


def sort_results(results: Sequence[Result]) -> list[Result]:
    """Best first by the primary metric, undefined values last, ties by model, mode, preprocessing and seed."""

    def order(result: Result) -> tuple[float, str, str, str, int]:
        metric = primary_metric(result)
        value = metric_estimates(result).get(metric, Estimate()).value
        signed = -value if higher_is_better(metric) else value
        return (
            signed if math.isfinite(value) else math.inf,
            str(result.model.get("id")),
            result.mode,
            result.preprocessing,
            result.seed,
        )

    return sorted(results, key=order)
