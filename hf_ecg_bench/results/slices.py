"""The tasks that are parts of another task's outputs: one run of that task is a result of each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.parts import target_columns
from hf_ecg_bench.results.predictions import Predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.target_scores import mapping
from hf_ecg_bench.tasks.catalogue import CATALOGUE
from hf_ecg_bench.tasks.task import Task


def parts_of(task: Task) -> tuple[Task, ...]:
    """The tasks that the paper reports from this one's training, on the same dataset, in catalogue order."""
    return tuple(other for other in CATALOGUE.values() if other.trained_as == task.id and other.dataset == task.dataset)


def target_names(task: Task, class_names: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names of a task's targets, classes first.

    Args:
        class_names: the classes of the dataset's label columns, by column.
    """
    classes: Sequence[str] = ()
    if task.labels is not None:
        classes = task.classes if task.classes is not None else class_names.get(task.labels, ())
    return (*classes, *task.targets)


def select_targets(predictions: Predictions, names: Sequence[str], task: str) -> Predictions:
    """The named columns, of the records that have any of these targets.

    Raises:
        PredictionsError: a name that is not there, or no record has any of them.
    """
    columns = target_columns(f"task {task}", names, predictions.names)
    rows = np.flatnonzero(~np.isnan(predictions.targets[:, columns]).all(axis=1))
    if not len(rows):
        raise PredictionsError(
            f"task {task}: every one of {len(predictions)} records lacks all of its targets",
            fix="score a run on the complete dataset",
        )
    return Predictions(
        predictions.record_id[rows],
        predictions.patient_id[rows],
        predictions.targets[rows][:, columns],
        predictions.predictions[rows][:, columns],
        tuple(names),
        tuple(predictions.kinds[column] for column in columns),
    )


def as_slices(summaries: Mapping[str, dict[str, Any]], n_records: int) -> dict[str, dict[str, Any]]:
    """What a result stores of its parts: {task id: {metrics, n_excluded: records without any of its targets}}.

    Args:
        summaries: from `evaluation.summary.summarise_parts`, by task id.
        n_records: test records of the whole.
    """
    return {
        task: {"metrics": summary, "n_excluded": n_records - int(summary["n"])} for task, summary in summaries.items()
    }


def with_slices(results: Iterable[Result]) -> list[Result]:
    """Every result, followed by its parts."""
    return [item for result in results for item in (result, *slice_results(result))]


def slice_results(result: Result) -> list[Result]:
    """Each part of a result as a result of its own task, marked by `trained_as`; parts without a record are left out.

    Raises:
        PredictionsError: `slices` is not of the form that `run` writes.
    """
    found = []
    for task, raw in mapping(result.slices, "slices").items():
        entry = mapping(raw, f"slices.{task}")
        metrics = mapping(entry.get("metrics"), f"slices.{task}.metrics")
        if metrics.get("n"):
            found.append(replace(result, task=task, metrics=metrics, slices={}, subgroups={}, trained_as=result.task))
    return found
