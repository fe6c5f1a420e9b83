"""The metrics of a result from its predictions once more: they have to come out the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.parts import summarise_parts
from hf_ecg_bench.hub.submission.checks import Check, shown, verdict
from hf_ecg_bench.results.predictions import VALIDATION_FILE, Predictions, read_predictions
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, Result
from hf_ecg_bench.results.slices import target_names
from hf_ecg_bench.results.target_scores import mapping
from hf_ecg_bench.tasks import get_task

TOLERANCE = 1e-9
MOST_RESAMPLES = 10_000
LEAST_RESAMPLES = 100
_AGAIN = "run it again and submit that: result.json and predictions.parquet have to be of one run"


def check_predictions(folder: Path, result: Result) -> tuple[Predictions, list[Check]]:
    """Readable, finite, unique records, the task's targets in its order, as many as were scored.

    Raises:
        PredictionsError: the file cannot be used at all.
    """
    predictions = read_predictions(folder / PREDICTIONS_FILE)
    task = get_task(result.task)
    names = target_names(task, get_dataset_spec(task.dataset).label_columns)
    problems = []
    if predictions.names != tuple(names):
        odd = sorted(set(predictions.names) ^ set(names))[:3] or ["their order"]
        problems.append(f"{len(predictions.names)} targets, {len(names)} in the task; differing: {odd!a}")
    if len(predictions) != result.metrics.get("n"):
        problems.append(f"{len(predictions)} records, {result.metrics.get('n')!r:.20} scored")
    listed = result.metrics.get("targets")
    if not isinstance(listed, dict) or list(listed) != list(predictions.names):
        problems.append("other targets than the result's")
    known = predictions.targets == predictions.targets
    if (predictions.predictions == predictions.targets)[known].all():
        problems.append("they are the targets themselves")
    return predictions, [verdict("predictions", problems, expected=f"one row per test record of {task.id}", fix=_AGAIN)]


def check_scores(folder: Path, result: Result, predictions: Predictions) -> Iterator[Check]:
    """Every number of `metrics` and of the slices against what follows from the predictions."""
    settings = mapping(result.metrics.get("resampling"), "metrics.resampling")
    number, seed, undefined = (settings.get(name) for name in ("n_resamples", "seed", "undefined"))
    if type(number) is not int or not LEAST_RESAMPLES <= number <= MOST_RESAMPLES or type(seed) is not int:
        found = f"{number!r:.20} resamples, seed {seed!r:.20}"
        expected = f"{LEAST_RESAMPLES} to {MOST_RESAMPLES:,} resamples and a seed"
        yield Check("metrics", False, expected, found, "hf-ecg-bench run with its default resamples")
        return
    validation = None
    if (folder / VALIDATION_FILE).is_file():
        own = read_predictions(folder / VALIDATION_FILE)
        if own.names != predictions.names:
            raise PredictionsError(f"{VALIDATION_FILE} has other targets than {PREDICTIONS_FILE}", fix=_AGAIN)
        validation = (own.targets, own.predictions)
    slices = {name: mapping(item, f"slices.{name}") for name, item in result.slices.items()}
    parts = {
        name: tuple(mapping(mapping(item.get("metrics"), name).get("targets"), name)) for name, item in slices.items()
    }
    whole, recomputed = summarise_parts(
        predictions.targets,
        predictions.predictions,
        predictions.names,
        predictions.kinds,
        {name: targets for name, targets in parts.items() if targets},
        groups=predictions.patient_id,
        n_resamples=number,
        seed=seed,
        undefined=undefined if undefined in ("drop", "half") else "drop",
        validation=validation,
    )
    problems = list(_differences(result.metrics, whole, ""))
    for name, item in slices.items():
        if parts[name]:
            problems += _differences(item["metrics"], recomputed.get(name, {}), f"slices.{name}")
    yield verdict(
        "metrics", problems, expected="what follows from predictions.parquet, to 1e-9", fix=_AGAIN,
        found=f"{sum(1 for _ in _numbers(result.metrics))} numbers agree",
    )  # fmt: skip


def _differences(stored: Any, again: Any, where: str) -> Iterator[str]:
    """Numbers of the result that do not follow. What this version computes beyond an older result is no difference."""
    if isinstance(stored, dict):
        for key, value in stored.items():
            place = f"{where}.{shown(key)}" if where else shown(key)
            if key == "left_out" or (where.endswith("resampling") and key not in again):
                continue
            if not isinstance(again, dict) or key not in again:
                yield f"{place[:80]}: nothing that follows from the predictions"
            else:
                yield from _differences(value, again[key], place)
    elif isinstance(again, int | float) or again is None:
        a, b = _as_number(stored), _as_number(again)
        if not (a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= TOLERANCE):
            yield f"{where[:80]}: {stored!r:.24}, the predictions give {again!r:.24}"
    elif stored != again:
        yield f"{where[:80]}: {stored!r:.24}, expected {again!r:.24}"


def _as_number(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return math.inf  # a text in the place of a number: equal to nothing that is computed


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
