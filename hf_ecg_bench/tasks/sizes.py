"""How many targets a task has, as its dataset declares them."""

from __future__ import annotations

from dataclasses import dataclass

from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.tasks.task import Task


@dataclass(frozen=True)
class TaskSize:
    """Numbers of targets: yes/no (classes of the label column included) and regression."""

    yes_no: int
    regression: int

    @property
    def targets(self) -> int:
        """All of them."""
        return self.yes_no + self.regression


def task_size(task: Task) -> TaskSize:
    """The size on the complete release with published label lists; another `min_count` gives other lists."""
    spec = get_dataset_spec(task.dataset)
    names = task.classes if task.classes is not None else spec.label_columns[task.labels] if task.labels else ()
    kinds = {target.name: target.kind for target in spec.targets}
    regression = sum(kinds[name] == "regression" for name in task.targets)
    return TaskSize(len(names) + len(task.targets) - regression, regression)
