"""Rows of results: one for the task of a run, one for each task that is a part of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.results.contamination import contamination
from hf_ecg_bench.results.metrics import higher_is_better, metric_estimates, primary_metric
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.row_checks import check_row
from hf_ecg_bench.results.run_folder import Unreadable, check_types, find_results
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, Result
from hf_ecg_bench.results.settings import settings_digest
from hf_ecg_bench.results.slices import with_slices
from hf_ecg_bench.tasks.catalogue import CATALOGUE


def read_rows(results_dir: Path) -> tuple[list[Row], list[Unreadable]]:
    """The rows of every result.json at or below `results_dir`, and the files that could not be read or hold what no
    run writes.

    Raises:
        EcgBenchError: no such folder, or no result in it.
    """
    rows: list[Row] = []
    unreadable: list[Unreadable] = []
    for folder in find_results(results_dir):
        name = folder.relative_to(results_dir).as_posix() if folder != results_dir else "."
        try:
            result = Result.load(folder)
            check_types(result)
            file = folder / PREDICTIONS_FILE
            found = rows_of(result, folder=name, predictions_digest=sha256_file(file) if file.is_file() else "")
            for row in found:
                check_row(row)
            rows += found
        except EcgBenchError as error:
            unreadable.append(Unreadable(name, error.message.replace(str(folder), name)))
    return rows, unreadable


def rows_of(result: Result, *, folder: str = "", predictions_digest: str = "") -> list[Row]:
    """The result's row, and one for each of its slices."""
    return [_row(item, folder, predictions_digest) for item in with_slices([result])]


def _row(result: Result, folder: str, digest: str) -> Row:
    metric = primary_metric(result)
    estimates = metric_estimates(result)
    if metric not in estimates:
        raise PredictionsError("the result has no metrics", fix="run again into an empty folder")
    estimate = estimates[metric]
    task = CATALOGUE.get(result.task)
    dataset = str(result.dataset.get("id", ""))
    model = str(result.model.get("id", ""))
    known = contamination(result.model, dataset, result.mode)
    resampling = _inner(result.metrics, "resampling")
    records = _inner(result.dataset, "records")

    def cost(name: str) -> float:
        return _number(result.cost.get(name))

    return Row(
        model=model,
        task=result.task,
        category=task.category if task else "",
        dataset=dataset,
        mode=result.mode,
        metric=metric,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        higher_is_better=higher_is_better(metric),
        model_source=str(result.model.get("source") or ""),
        model_digest=str(result.model.get("digest") or ""),
        dataset_digest=str(result.dataset.get("digest") or ""),
        protocol=_protocol(result),
        preprocessing=result.preprocessing,
        fraction=float(result.fraction),
        seed=result.seed,
        subset=str(result.subset.get("rule", "nested")),
        settings=settings_digest(result),
        trained_as=result.trained_as or "",
        records_train=_number(records.get("train")),
        records_test=_number(result.metrics.get("n")),
        n_targets=float(len(_inner(result.metrics, "targets"))),
        n_undefined=_number(resampling.get("n_undefined_labels")),
        resampling=str(resampling.get("unit", "")),
        selection_metric=str(result.selection.get("metric") or ""),
        selection_value=_number(result.selection.get("best_value")),
        contamination=known.state,
        contamination_reason=known.reason,
        parameters=cost("parameters"),
        trainable_parameters=cost("trainable_parameters"),
        train_seconds=cost("train_seconds"),
        evaluate_seconds=cost("evaluate_seconds"),
        peak_memory_bytes=cost("peak_memory_bytes"),
        records_per_second=cost("records_per_second"),
        latency_ms=cost("latency_ms"),
        training_flops=cost("training_flops"),
        energy_joules=cost("energy_joules"),
        device=str(result.environment.get("device", "")),
        warnings=len(result.warnings),
        folder=folder,
        predictions_digest=digest,
        schema_version=result.schema_version,
        program=str(_inner(result.environment, "packages").get("hf-ecg-bench") or ""),
    )


def _inner(values: dict[str, Any], name: str) -> dict[str, Any]:
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def _protocol(result: Result) -> str:
    """The preset; with a published slip that was repeated on purpose it is another way, and another entry."""
    fault = result.hyperparameters.get("fault")
    return f"{result.protocol}, fault {fault}" if fault else result.protocol


def _number(value: Any) -> float:
    """NaN for what is no number, or more than a float holds."""
    usable = isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63)
    return float(value) if usable else math.nan
