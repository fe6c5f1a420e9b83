"""From run folders to learning curves: which runs are points of one curve, and which are not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError, PredictionsError, some, unknown_name
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.metrics import higher_is_better, metric_estimates, primary_metric
from hf_ecg_bench.results.run_folder import check_types, find_results
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.slices import slice_results
from hf_ecg_bench.scaling.law import Floats

# Hyperparameters that differ between runs of one curve: they follow from the training records or the machine, or are
# what validation chose (`strength`, of the convex solver's penalty).
_FREE = {
    *("strength", "target_mean", "target_std", "target_units", "limit", "precision"),
    *("accumulation", "evaluation_batch_size", "gradient_checkpointing", "compile"),
}


@dataclass(frozen=True, eq=False)
class ScoredRun:
    """One finished run.

    Attributes:
        error: 1 - score (or the score where lower is better), with its sampling interval.
        samples: (resamples,) the same on resampled test patients, NaN where undefined; None: not known.
    """

    folder: Path
    result: Result
    error: Estimate
    samples: Floats | None = None


@dataclass(frozen=True, eq=False)
class CurveRuns:
    """The runs of one learning curve: equal but for the training records and the seed.

    Attributes:
        label: model and mode, and what else tells it from another curve of them.
        sizes: the runs (one per seed) of each fraction, from few records to many.
    """

    task: str
    model: str
    mode: str
    label: str
    sizes: tuple[tuple[ScoredRun, ...], ...]


def read_results(folders: Sequence[Path]) -> tuple[list[tuple[Path, Result]], list[str]]:
    """Every result at or below the folders, each once, and what had to be left out.

    A run that serves several tasks is a result of each of them.

    Raises:
        EcgBenchError: no such folder, no result in it, or none that can be read.
    """
    paths = dict.fromkeys(path.resolve() for folder in folders for path in find_results(folder))
    found, notes = [], []
    for path in paths:
        try:
            result = Result.load(path)
            check_types(result)
            parts = slice_results(result)
        except PredictionsError as error:
            notes.append(f"left out: {error.message}")
            continue
        found += [(path, one) for one in (result, *parts)]
    if not found:
        raise EcgBenchError(f"no usable result: {some(notes, 3)}", fix="run again into empty folders")
    return found, notes


def group_runs(
    results: Sequence[tuple[Path, Result]], metric: str | None
) -> tuple[dict[str, tuple[str, list[CurveRuns]]], list[str]]:
    """{task: (metric, its curves)}, and what was left out. Without `metric` each task is taken by its primary one.

    Raises:
        UnknownNameError: no run has that metric.
    """
    names = {name for _, result in results for name in metric_estimates(result)}
    if metric is not None and metric not in names:
        raise unknown_name("metric", metric, names)
    notes: list[str] = []
    tasks: dict[str, tuple[str, list[CurveRuns]]] = {}
    for task in dict.fromkeys(result.task for _, result in results):
        own = [(folder, result) for folder, result in results if result.task == task]
        chosen = metric or primary_metric(own[0][1])
        curves: dict[tuple[str, str, str], list[ScoredRun]] = {}
        for folder, result in own:
            error = _error(result, chosen)
            if not error.defined or not _records(result):
                notes.append(f"{folder}: left out, no {chosen} or no number of training records")
                continue
            settings = json.dumps(_settings(result), sort_keys=True)
            key = (str(result.model.get("id", "?")), result.mode, settings)
            curves.setdefault(key, []).append(ScoredRun(folder, result, error))
        labels = _labels(list(curves))
        found = [
            CurveRuns(task, key[0], key[1], labels[key], _sizes(runs, notes)) for key, runs in sorted(curves.items())
        ]
        if found:
            tasks[task] = chosen, found
    return tasks, notes


def training_records(runs: Sequence[ScoredRun]) -> float:
    """Mean number of training records: whole patients make it differ a little from seed to seed."""
    return sum(_records(run.result) for run in runs) / len(runs)


def _sizes(runs: Sequence[ScoredRun], notes: list[str]) -> tuple[tuple[ScoredRun, ...], ...]:
    """Runs of one fraction and limit together; a second run with the same seed is a copy, not another draw."""
    sizes: dict[tuple[float, int], dict[int, ScoredRun]] = {}
    for run in sorted(runs, key=lambda run: (run.result.seed, str(run.folder))):
        result = run.result
        same = sizes.setdefault((float(result.fraction), int(result.hyperparameters.get("limit") or 0)), {})
        if result.seed in same:
            notes.append(f"{run.folder}: left out, the run in {same[result.seed].folder} has the same seed and size")
            continue
        same[result.seed] = run
    return tuple(sorted((tuple(same.values()) for same in sizes.values()), key=training_records))


def _error(result: Result, metric: str) -> Estimate:
    score = metric_estimates(result).get(metric, Estimate())
    if not higher_is_better(metric):
        return score
    return Estimate(1 - score.value, 1 - score.high, 1 - score.low)


def _records(result: Result) -> int:
    records = result.dataset.get("records")
    number = records.get("train") if isinstance(records, dict) else None
    return number if isinstance(number, int) else 0


def _settings(result: Result) -> dict[str, Any]:
    """What must be equal for two runs to be points of one curve, beside task, model and mode."""
    free = _FREE | ({"learning_rate"} if result.hyperparameters.get("learning_rates") else set())
    return {
        "weights": result.model.get("digest"),
        "data": result.dataset.get("digest"),
        "preprocessing": result.preprocessing,
        "protocol": result.protocol,
        "subset": "published" if result.subset.get("rule") == "published" else "nested",
        **{name: value for name, value in result.hyperparameters.items() if name not in free},
    }


def _labels(keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """A name per curve; settings are named only where model and mode do not tell the curves apart."""
    labels = {}
    for key in keys:
        alike = [json.loads(other[2]) for other in keys if other[:2] == key[:2]]
        own = json.loads(key[2])
        differing = [name for name in own if any(other.get(name) != own[name] for other in alike)]
        differing += sorted({name for other in alike for name in other} - own.keys())
        told = [f"{name} {_short(own.get(name))}" for name in differing]
        labels[key] = ", ".join([" ".join(key[:2]), *told])
    return labels


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 16 else text[:8] + "…"
