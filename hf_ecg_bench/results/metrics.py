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
    "macro_mae": Metric("Macro MAE", False, "mean of the targets' mean absolute errors, z-units"),
    "pooled_mae": Metric("Pooled MAE", False, "mean absolute error over all values of all targets, z-units"),
    "composite": Metric("Composite", False, "1 - macro AUROC + pooled MAE; lower is better"),
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
