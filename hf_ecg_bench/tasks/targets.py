"""From label and target columns to the matrix a model predicts: (records, targets), NaN where a target is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.spec import TargetKind
from hf_ecg_bench.errors import DataError, some
from hf_ecg_bench.tasks.task import Task


@dataclass(frozen=True)
class TargetColumns:
    """Names and kinds of a task's targets, and where each stands in the dataset's columns.

    Attributes:
        names, kinds: one per target, classes first.
        classes: positions of the task's classes among the label column's class names.
        targets: positions of the task's targets in the `targets` column.
    """

    names: tuple[str, ...]
    kinds: tuple[TargetKind, ...]
    classes: tuple[int, ...]
    targets: tuple[int, ...]

    @property
    def is_regression(self) -> np.ndarray:
        """(targets,) bool."""
        return np.array([kind == "regression" for kind in self.kinds])


def target_columns(
    task: Task, class_names: Sequence[str], target_names: Sequence[str], target_kinds: Sequence[TargetKind]
) -> TargetColumns:
    """Where the task's targets stand in a dataset with these class and target names.

    Raises:
        DataError: the dataset has no label with a class at all, or lacks classes or targets of the task.
    """
    wanted = task.classes if task.classes is not None else tuple(class_names)
    if task.labels is not None and not wanted:
        raise DataError(
            f"task {task.id}: column {task.labels!r} of {task.dataset} has no classes left",
            fix=f"hf-ecg-bench prepare {task.dataset} ... without --option min_count",
        )
    if task.labels is not None:
        _require(f"classes in column {task.labels!r}", wanted, class_names, task)
    _require("targets", task.targets, target_names, task)
    classes = tuple(class_names.index(name) for name in wanted) if task.labels is not None else ()
    targets = tuple(target_names.index(name) for name in task.targets)
    names = (*(class_names[i] for i in classes), *(target_names[i] for i in targets))
    yes_no: list[TargetKind] = ["binary"] * len(classes)
    kinds = (*yes_no, *(target_kinds[i] for i in targets))
    return TargetColumns(names, kinds, classes, targets)


def _require(what: str, wanted: Sequence[str], there: Sequence[str], task: Task) -> None:
    absent = [name for name in wanted if name not in there]
    if absent:
        raise DataError(
            f"task {task.id} has {len(wanted):,} {what}; {len(absent):,} of them are not in the prepared data: "
            f"{some(absent, 5)} (these have {some(there, 5)})",
            fix=f"hf-ecg-bench prepare {task.dataset} ... without options that change its labels or targets",
        )


def multi_hot(labels: pa.ListArray, classes: Sequence[int]) -> np.ndarray:
    """(records, classes) float32 of 0 and 1 from a list column of class indices; repeats count once."""
    lengths = np.diff(labels.offsets.to_numpy())
    flat = labels.flatten().to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(labels)), lengths)
    position = np.full(max(int(flat.max(initial=-1)) + 1, max(classes, default=-1) + 1, 1), -1)
    position[list(classes)] = np.arange(len(classes))
    columns = position[flat]
    result = np.zeros((len(labels), len(classes)), np.float32)
    keep = columns >= 0
    result[rows[keep], columns[keep]] = 1.0
    return result


def target_matrix(table: pa.Table, task: Task, columns: TargetColumns) -> np.ndarray:
    """(records, targets) float32 of one split, NaN where a target is missing.

    `table` holds the task's label column and, where the task has numeric targets, the `targets` column.
    """
    parts = []
    if columns.classes:
        parts.append(multi_hot(table.column(task.labels).combine_chunks(), columns.classes))
    if columns.targets:
        stored = table.column("targets").combine_chunks()
        flat = stored.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
        # A split may be empty, and -1 then stands for no width.
        width = len(flat) // len(stored) if len(stored) else max(columns.targets) + 1
        parts.append(flat.reshape(len(stored), width)[:, list(columns.targets)])
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(table), 0), np.float32)
