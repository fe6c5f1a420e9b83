"""Which records of a prepared dataset a run uses, with what targets, and what was left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict

from hf_ecg_bench.data.load import PreparedDataset
from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.errors import DataError, TrainingError, some
from hf_ecg_bench.names import SPLITS
from hf_ecg_bench.tasks.targets import TargetColumns, target_columns, target_matrix
from hf_ecg_bench.tasks.task import Task


@dataclass(frozen=True)
class SplitRecords:
    """The used records of one split.

    Attributes:
        view: the split's signals.
        records: (n,) positions in the split.
        record_id, patient_id: (n,) object, str; None for a patient the source does not know.
        targets: (n, targets) float32, NaN where missing; regression targets z-scored once `standardise` ran.
        age: (n,) float32, years, NaN where unknown.
        sex: (n,) object, `female`, `male` or None.
    """

    view: SignalView
    records: np.ndarray
    record_id: np.ndarray
    patient_id: np.ndarray
    targets: np.ndarray
    age: np.ndarray
    sex: np.ndarray

    def take(self, chosen: np.ndarray) -> SplitRecords:
        """Only these positions among the used records."""
        arrays = {name: value[chosen] for name, value in vars(self).items() if name != "view"}
        return replace(self, **arrays)

    def with_targets(self, targets: np.ndarray) -> SplitRecords:
        """The same records with other targets."""
        return replace(self, targets=targets)


@dataclass
class TaskRecords:
    """What a run trains on, selects on and is tested on."""

    columns: TargetColumns
    splits: dict[str, SplitRecords]
    sampling_rate: int
    seconds: float
    unit: str
    excluded: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def task_records(prepared: PreparedDataset, task: Task) -> TaskRecords:
    """Targets and usable records of the three splits.

    Raises:
        DataError: the data lacks a column the task needs, or mixes sampling rates.
        TrainingError: a split is empty, or the dataset is a test set only.
    """
    if "train" not in get_dataset_spec(task.dataset).splits:
        raise TrainingError(
            f"task {task.id} is a further test set for models of {task.trained_as}: it has nothing to train on",
            fix=f"--task {task.trained_as}",
        )
    return _records_of(prepared, task, SPLITS)


def only_test_records(prepared: PreparedDataset, task: Task) -> TaskRecords:
    """Targets and usable records of the test split alone, as a finished model needs them.

    Raises:
        DataError: the data lacks a column the task needs, or mixes sampling rates.
        TrainingError: the split has no usable record.
    """
    return _records_of(prepared, task, ("test",))


def _records_of(prepared: PreparedDataset, task: Task, names: Sequence[str]) -> TaskRecords:
    columns = _columns(prepared, task)
    rates = {rate for name in names for rate in _split(prepared.splits, name).unique("sampling_rate")}
    if len(rates) > 1:
        raise DataError(f"{prepared.source}: rows have several sampling rates {sorted(rates)}, expected one")
    if not rates:
        raise TrainingError(f"{prepared.source} has no rows in {some(names)}", fix=_with_more_records(prepared))
    rate = int(rates.pop())
    excluded: dict[str, int] = {}
    splits = {name: _split_records(prepared, name, task, columns, rate, excluded) for name in names}
    shortest = min(int(split.view.lengths()[split.records].min()) for split in splits.values())
    return TaskRecords(columns, splits, rate, shortest / rate, _unit(prepared), excluded)


def _unit(prepared: PreparedDataset) -> str:
    return str(prepared.info.get("unit", "mV"))


def standardise(records: TaskRecords) -> tuple[np.ndarray, np.ndarray]:
    """z-score the regression targets of all splits with mean and population std of the training records.

    Returns:
        (mean, std), each (targets,) float64; 0 and 1 for yes/no targets.
    """
    training = records.splits["train"].targets.astype(np.float64)
    is_regression = records.columns.is_regression
    mean, std = np.zeros(training.shape[1]), np.ones(training.shape[1])
    for column in np.flatnonzero(is_regression):
        values = training[:, column]
        values = values[~np.isnan(values)]
        name = records.columns.names[column]
        if len(values) == 0 or values.std() == 0:
            records.warnings.append(f"{name}: no spread among the training values, not standardised")
            continue
        mean[column], std[column] = values.mean(), values.std()
    for name, split in records.splits.items():
        records.splits[name] = split.with_targets(((split.targets - mean) / std).astype(np.float32))
    return mean, std


def _columns(prepared: PreparedDataset, task: Task) -> TargetColumns:
    if prepared.info["dataset"] != task.dataset:
        raise DataError(
            f"{prepared.source} holds {prepared.info['dataset']}; task {task.id} is about {task.dataset}",
            fix=f"--data with a prepared {task.dataset}, or another --task (hf-ecg-bench list tasks)",
        )
    if prepared.info.get("metadata_only"):
        raise DataError(
            f"{prepared.source} was prepared without signals",
            fix=f"hf-ecg-bench prepare {task.dataset} without --metadata-only",
        )
    features = _split(prepared.splits, "train").features
    for column in filter(None, (task.labels, "targets" if task.targets else None)):
        if column not in features:
            raise DataError(
                f"{prepared.source}: no column {column!r} for task {task.id}; columns: {', '.join(features)}",
                fix=f"hf-ecg-bench run --task {task.id} --data PATH_OF_A_PREPARED_{task.dataset.upper()}",
            )
    classes = features[task.labels].feature.names if task.labels else []
    declared: list[dict[str, Any]] = list(prepared.info.get("targets", []))
    return target_columns(task, classes, [d["name"] for d in declared], [d["kind"] for d in declared])


def _split(splits: DatasetDict, name: str) -> Dataset:
    if name not in splits:
        raise TrainingError(
            f"the data has no split {name!r}; found {', '.join(splits) or 'none'}",
            fix="prepare the dataset again (hf-ecg-bench prepare ...)",
        )
    return splits[name]


def _split_records(
    prepared: PreparedDataset, name: str, task: Task, columns: TargetColumns, rate: int, excluded: dict[str, int]
) -> SplitRecords:
    split = _split(prepared.splits, name)
    columns_read = ("record_id", "patient_id", "age", "sex", "strat_fold", task.labels)
    wanted = [c for c in (*columns_read, "targets" if task.targets else None) if c]
    table = split.select_columns(wanted).with_format("arrow")[:]
    view = SignalView(split)
    targets = target_matrix(table, task, columns)
    record_id = table.column("record_id").to_numpy()
    patient_id, sex = (np.array(table.column(c).to_pylist(), dtype=object) for c in ("patient_id", "sex"))
    age = table.column("age").to_numpy().astype(np.float32)
    keep = np.ones(len(record_id), bool)
    if prepared.info.get("needs_fold"):
        placed = table.column("strat_fold").to_numpy() >= 0
        _count(excluded, f"{name}: no stratification fold", (~placed).sum())
        keep &= placed
    least = prepared.info.get("min_seconds")
    if least is not None and len(keep):
        long_enough = view.lengths() >= least * rate
        _count(excluded, f"{name}: shorter than {least:g} s", (keep & ~long_enough).sum())
        keep &= long_enough
    if targets.shape[1]:
        present = ~np.isnan(targets).all(1)
        _count(excluded, f"{name}: every target missing", (keep & ~present).sum())
        keep &= present
    if not keep.any():
        raise TrainingError(
            f"split {name!r} has no usable record for task {task.id} ({len(keep)} rows)",
            fix=_with_more_records(prepared),
        )
    chosen = np.flatnonzero(keep)
    whole = SplitRecords(view, np.arange(len(keep)), record_id, patient_id, targets, age, sex)
    return whole.take(chosen)


def _with_more_records(prepared: PreparedDataset) -> str:
    tried = prepared.info.get("options", {}).get("splits") == "largest_folds"
    other = "a larger part of it" if tried else "prepare it with --option splits=largest_folds"
    return f"use the complete dataset, or {other}"


def _count(excluded: dict[str, int], reason: str, number: int) -> None:
    if number:
        excluded[reason] = excluded.get(reason, 0) + int(number)
