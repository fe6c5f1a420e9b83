"""Transferability scores of models on a task's training records, and the file that keeps them for later calibration."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.evaluation.auroc import auroc
from hf_ecg_bench.files import write_json
from hf_ecg_bench.models.cache import cache_root
from hf_ecg_bench.saying import Say
from hf_ecg_bench.selecting.candidate import model_name
from hf_ecg_bench.selecting.transfer.columns import Floats, Targets, make_targets
from hf_ecg_bench.selecting.transfer.h_score import h_score
from hf_ecg_bench.selecting.transfer.logme import logme
from hf_ecg_bench.selecting.transfer.neighbours import neighbour_predictions
from hf_ecg_bench.selecting.transfer.probe import probe


@dataclass(frozen=True)
class Scores:
    """Of a model's features on a task; means over the usable targets.

    Attributes:
        model, task, model_digest, store: what was scored.
        kind: of `probe` and `neighbours`: `auroc` (macro), or `mae` of z-scored targets (less is better).
        probe: of out-of-fold ridge predictions; `neighbours`: of the nearest records of other patients.
        logme, h_score: more is better.
        records, available: used, and there.
        targets, undefined: of the kind that is scored, and how many of them have too few positives or negatives.
        seconds: that scoring took.
    """

    model: str
    task: str
    kind: str
    probe: float
    neighbours: float
    logme: float
    h_score: float
    records: int
    available: int
    targets: int
    undefined: int
    model_digest: str = ""
    store: str = ""
    seconds: float = math.nan


@dataclass(frozen=True)
class NotScored:
    """A model without scores, and why."""

    model: str
    reason: str


def score_models(
    models: Sequence[str], task: str, data: str | None, kind: str, say: Say, *, records: int = 0
) -> tuple[list[Scores], list[NotScored]]:
    """Scores of each model on the training records; what cannot be scored is said with its reason."""
    from hf_ecg_bench.selecting.features import training_features

    scores: list[Scores] = []
    failed: list[NotScored] = []
    for model in models:
        try:
            found = training_features(model, task, data, say, records=records)
            targets = make_targets(found.targets, found.is_regression)
            scored = score_features(found.features, targets, found.patients, kind)
        except EcgBenchError as error:
            failed.append(NotScored(model_name(model), error.message))
            continue
        own = Scores(
            model_name(model), task, kind, **scored, records=len(found.features), available=found.available,
            model_digest=found.model_digest, store=found.store,
        )  # fmt: skip
        write_json(_folder() / f"{task}-{found.model_digest[:16]}-{own.records}.json", asdict(own))
        scores.append(own)
    return scores, failed


def score_features(
    features: NDArray[np.floating], targets: Targets, patients: NDArray[Any], kind: str
) -> dict[str, Any]:
    """The four scores of features (records, dim), with counts and seconds.

    Raises:
        EcgBenchError: no usable target of that kind, or too few patients.
    """
    started = time.monotonic()
    wanted = targets.is_regression == (kind == "mae")
    usable = wanted & targets.usable
    if not usable.any():
        raise EcgBenchError(
            f"none of the {wanted.sum()} targets has enough records of either class (10) among {len(features)}"
        )
    own = Targets(targets.values[:, usable], targets.is_regression[usable], targets.usable[usable])
    return {
        "probe": _quality(own.values, probe(features, own, patients).predictions, kind),
        "neighbours": _quality(own.values, neighbour_predictions(features, own, patients), kind),
        "logme": float(np.mean(logme(features, own))),
        "h_score": float(np.mean(h_score(features, own))),
        "targets": int(wanted.sum()),
        "undefined": int((wanted & ~targets.usable).sum()),
        "seconds": time.monotonic() - started,
    }


def _quality(values: Floats, predictions: Floats, kind: str) -> float:
    """Macro AUROC, or pooled MAE, of cells that have a prediction."""
    known = np.where(np.isnan(predictions), np.nan, values)
    if kind == "mae":
        return float(np.nanmean(np.abs(known - predictions)))
    return float(np.nanmean(auroc(known, np.nan_to_num(predictions))))


def stored_scores() -> list[Scores]:
    """All scores that were ever computed with this cache; broken files are passed over."""
    found = []
    for path in sorted(_folder().glob("*.json")):
        try:
            found.append(Scores(**json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            continue
    return found


def _folder() -> Path:
    return cache_root() / "selecting"
