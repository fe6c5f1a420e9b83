"""Suites: named selections of tasks whose scores are averaged or counted together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hf_ecg_bench.errors import unknown_name
from hf_ecg_bench.tasks.catalogue import BENCHMARK


@dataclass(frozen=True)
class Suite:
    """A named selection of tasks.

    Attributes:
        id: the id users type (`headline`).
        title: what it is, in one line.
        tasks: task ids, in the order of its table: one row each.
        merged: groups of these tasks that count as one task.
    """

    id: str
    title: str
    tasks: tuple[str, ...]
    merged: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class SuiteTotals:
    """What a suite adds up to: table rows, tasks (merged groups count once) and targets."""

    rows: int
    tasks: int
    targets: int

    def __str__(self) -> str:
        rows = f"{self.rows} rows"
        size = rows if self.tasks == self.rows else f"{self.tasks} tasks ({rows})"
        return f"{size}, {self.targets:,} targets"


def _all_but(task: str) -> tuple[str, ...]:
    return tuple(item.id for item in BENCHMARK if item.id != task)


SUITES: dict[str, Suite] = {
    suite.id: suite
    for suite in (
        Suite(
            "headline",
            "the tasks and targets of the paper's abstract, where MIMIC's three acute-care rows count as one task",
            _all_but("chapman_rhythm"),
            merged=(("mimic_deterioration", "mimic_mortality", "mimic_icu"),),
        ),
        Suite("published", "the rows with published numbers", _all_but("zzu_pecg_icd10")),
    )
}


def get_suite(name: str) -> Suite:
    """The suite of that id.

    Raises:
        UnknownNameError: no such suite; names close matches.
    """
    if name not in SUITES:
        raise unknown_name("suite", name, SUITES, fix="hf-ecg-bench list suites")
    return SUITES[name]


def suites_of(task: str) -> tuple[str, ...]:
    """Ids of the suites that hold a task."""
    return tuple(suite.id for suite in SUITES.values() if task in suite.tasks)


def totals(suite: Suite, n_targets: Mapping[str, int]) -> SuiteTotals:
    """Rows, tasks and targets of a suite.

    Args:
        n_targets: number of targets by task id.
    """
    rows = len(suite.tasks)
    tasks = rows - sum(len(group) - 1 for group in suite.merged)
    return SuiteTotals(rows, tasks, sum(n_targets[task] for task in suite.tasks))
