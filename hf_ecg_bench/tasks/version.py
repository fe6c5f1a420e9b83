"""The version of a task: a digest of everything that decides which records are tested, and on what."""

from __future__ import annotations

import hashlib
import json

from hf_ecg_bench.tasks.task import Task


def task_version(task: Task) -> str:
    """16 hex digits that change when the task's targets, its dataset's labels, or its folds and filters change.

    Two results with the same version answer the same question, if their datasets' digests agree as well.
    """
    from hf_ecg_bench.data.registry import get_dataset_spec  # the registry imports every builder

    spec = get_dataset_spec(task.dataset)
    kinds = {target.name: target.kind for target in spec.targets}
    definition = {
        "task": task.id,
        "dataset": task.dataset,
        "labels": task.labels,
        "classes": task.classes if task.classes is not None else spec.label_columns.get(task.labels or "", ()),
        "targets": [[name, kinds.get(name)] for name in task.targets],
        "selection": task.selection,
        "trained_as": task.trained_as,
        "folds": [spec.folds, spec.validation_fold, spec.test_fold],
        "filters": [spec.min_seconds, spec.needs_fold, spec.nan_samples],
    }
    text = json.dumps(definition, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
