"""Which tasks an order over tasks rests on."""

from __future__ import annotations

from collections.abc import Mapping

from hf_ecg_bench.standings.task import TaskStanding
from hf_ecg_bench.tasks.catalogue import CATALOGUE

#: Categories that are not of the benchmark: left out of the order as soon as there is another task.
_NOT_COUNTED = {"joint_training": "a training of many tasks at once, whose parts count", "embedded": "invented data"}


def counted(
    standings: Mapping[str, TaskStanding], categories: Mapping[str, str]
) -> tuple[dict[str, TaskStanding], list[str]]:
    """The standings that count, and notes on those that do not; all of them where none would be left.

    Args:
        standings: by task.
        categories: task -> category, where it has one.
    """
    odd = {task: reason for task in standings if (reason := _reason(task, categories.get(task, "")))}
    if len(odd) == len(standings):
        return dict(standings), []
    kept = {task: standing for task, standing in standings.items() if task not in odd}
    return kept, [f"{task} does not count: {reason}" for task, reason in sorted(odd.items())]


def _reason(task: str, category: str) -> str:
    if task not in CATALOGUE:
        return "this version knows no such task"
    return _NOT_COUNTED.get(category, "")
