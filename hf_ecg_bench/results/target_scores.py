"""What one run scored on each target, from its result and, for counts, its predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.results.estimate import Estimate, number
from hf_ecg_bench.results.predictions import Predictions
from hf_ecg_bench.results.schema import Result

FEW = 10  # Positives or negatives below which an interval says little (threshold of Berger et al. 2026).
_OTHERS = ("average_precision", "f1", "brier", "r2")


@dataclass(frozen=True)
class TargetScore:
    """One target's score.

    Attributes:
        name, kind: the target and `binary` or `regression`.
        estimate: AUROC, or mean absolute error in z-units (standard deviations of the training targets).
        records: test records where the target is known; None if unknown.
        positives: of those, records with target 1 (binary only); None if unknown.
        scale: standard deviation that turns z-units into `unit`; NaN if unknown.
        offset: mean in `unit` that belongs to it; NaN if unknown.
        unit: the original unit, empty if unknown.
        undefined_fraction: share of resamples in which the metric had no value.
        others: its other metrics by name (average_precision, f1, brier; r2), those that the result has.
        threshold: the score that F1 calls a label present from; NaN if unknown.
    """

    name: str
    kind: str
    estimate: Estimate
    records: int | None = None
    positives: int | None = None
    scale: float = math.nan
    offset: float = math.nan
    unit: str = ""
    undefined_fraction: float = 0.0
    others: dict[str, Estimate] = field(default_factory=dict)
    threshold: float = math.nan

    @property
    def few(self) -> bool:
        """Defined, but on fewer than ten positives or ten negatives."""
        if self.positives is None or self.records is None:
            return False
        return self.estimate.defined and min(self.positives, self.records - self.positives) < FEW

    @property
    def original(self) -> Estimate | None:
        """A regression target's error in its original unit, where the scale is known."""
        return self.estimate.scaled(self.scale) if self.kind == "regression" and math.isfinite(self.scale) else None

    def in_original_units(self, value: float) -> float | None:
        """A z-scored value in the target's own unit, where mean and scale are known."""
        if self.kind != "regression" or not math.isfinite(self.scale) or not math.isfinite(self.offset):
            return None
        return value * self.scale + self.offset


def target_scores(result: Result, predictions: Predictions | None = None) -> tuple[TargetScore, ...]:
    """The targets of a result in its own order.

    Raises:
        PredictionsError: `metrics.targets` does not have the form that `evaluation.summary.summarise` writes.
    """
    targets = mapping(result.metrics.get("targets"), "metrics.targets")
    scales, offsets, units = (
        mapping(result.hyperparameters.get(key), f"hyperparameters.{key}")
        for key in ("target_std", "target_mean", "target_units")
    )
    counts = _counts(predictions) if predictions is not None else {}
    scores = []
    for name, raw in targets.items():
        where = f"metrics.targets.{name}"
        entry = mapping(raw, where)
        kind = entry.get("kind", "regression" if "mae" in entry else "binary")
        metric = "mae" if kind == "regression" else "auroc"
        records, positives = counts.get(name, (None, None))
        scores.append(
            TargetScore(
                name=name,
                kind=kind,
                estimate=Estimate.from_json(entry.get(metric), f"{where}.{metric}"),
                records=_count(entry, ("n",), where, records),
                positives=_count(entry, ("n_positive",), where, positives) if kind == "binary" else None,
                scale=number(scales.get(name), f"hyperparameters.target_std.{name}"),
                offset=number(offsets.get(name), f"hyperparameters.target_mean.{name}"),
                unit=str(units.get(name, "")),
                undefined_fraction=_fraction(entry, where),
                others={
                    other: Estimate.from_json(entry[other], f"{where}.{other}") for other in _OTHERS if other in entry
                },
                threshold=number(entry.get("threshold"), f"{where}.threshold"),
            )
        )
    return tuple(scores)


def mapping(raw: Any, where: str) -> dict[str, Any]:
    """`raw` as a dict; null is an empty one; anything else is a PredictionsError that names `where`."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise PredictionsError(f"{where}: expected an object, found {type(raw).__name__}")
    return raw


def _fraction(entry: dict[str, Any], where: str) -> float:
    value = number(entry.get("undefined_fraction"), f"{where}.undefined_fraction")
    return value if math.isfinite(value) else 0.0


def _count(entry: dict[str, Any], keys: tuple[str, ...], where: str, otherwise: int | None) -> int | None:
    for key in keys:
        if entry.get(key) is not None:
            return int(number(entry[key], f"{where}.{key}"))
    return otherwise


def _counts(predictions: Predictions) -> dict[str, tuple[int, int]]:
    known = np.isfinite(predictions.targets)
    positives = (predictions.targets == 1).sum(axis=0)
    return {name: (int(known[:, i].sum()), int(positives[i])) for i, name in enumerate(predictions.names)}
