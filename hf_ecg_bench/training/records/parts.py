"""Which of a run's outputs are the targets of which other task; found out before anything is trained."""

from __future__ import annotations

from hf_ecg_bench.data.load import PreparedDataset
from hf_ecg_bench.errors import DataError, some
from hf_ecg_bench.results.slices import parts_of, target_names
from hf_ecg_bench.tasks.task import Task
from hf_ecg_bench.training.records.of_task import TaskRecords


def part_targets(prepared: PreparedDataset, task: Task, records: TaskRecords) -> dict[str, tuple[str, ...]]:
    """The names of the targets of each part of a task. Parts without any class in these data are left out, aloud.

    Raises:
        DataError: a part has a target that the task does not predict.
    """
    features = next(iter(prepared.splits.values())).features
    found: dict[str, tuple[str, ...]] = {}
    for part in parts_of(task):
        column = part.labels
        classes = {column: features[column].feature.names} if column is not None and column in features else {}
        names = target_names(part, classes)
        missing = [name for name in names if name not in records.columns.names]
        if missing:
            raise DataError(
                f"{prepared.source}: {len(missing)} of the {len(names)} targets of {part.id}, which is a part of "
                f"{task.id}, are not among that task's: {some(missing, 5)}",
                fix=f"hf-ecg-bench prepare {task.dataset} ... without options that change its labels or targets",
            )
        if names:
            found[part.id] = names
        else:
            records.warnings.append(f"{part.id}, a part of {task.id}, has no classes in these data and is not scored")
    return found
