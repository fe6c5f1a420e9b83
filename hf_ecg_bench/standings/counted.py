"""Which tasks an order over tasks rests on."""

from __future__ import annotations

from collections.abc import Mapping

from hf_ecg_bench.standings.task import TaskStanding

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
    odd = {task for task in standings if categories.get(task) in _NOT_COUNTED}
    if len(odd) == len(standings):
        return dict(standings), []
    kept = {task: standing for task, standing in standings.items() if task not in odd}
    return kept, [f"{task} does not count: {_NOT_COUNTED[categories[task]]}" for task in sorted(odd)]
