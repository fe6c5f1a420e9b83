"""The table that an overall standing rests on: entries by tasks, with contaminated cells hidden, kept or replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.results.row import ContaminationState
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.overall import ContaminationPolicy
from hf_ecg_bench.standings.task import TaskStanding

Floats = NDArray[np.float64]
#: The states that the policies `hide` and `impute` are about.
SEEN: tuple[ContaminationState, ...] = ("test_records",)


@dataclass(frozen=True, eq=False)
class Table:
    """k entries by t tasks.

    Attributes:
        entries, tasks, standings: (k,), (t,), (t,).
        values: (k, t) as used, NaN where missing or hidden; `higher`: (t,) whether higher is better.
        position: (k, t) where an entry stands in the task's own arrays, -1 where it does not.
        hidden, imputed: (k, t) what the policy did.
    """

    entries: tuple[Entry, ...]
    tasks: tuple[str, ...]
    standings: tuple[TaskStanding, ...]
    values: Floats
    higher: NDArray[np.bool_]
    position: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    imputed: NDArray[np.bool_]

    @property
    def signed(self) -> Floats:
        """(k, t) values, so turned that higher is better."""
        return np.where(self.higher, self.values, -self.values)

    def samples(self, n: int) -> Floats:
        """(k, t, n) values in shared resamples of each task's patients, the value itself where none are known.

        Resamples of different tasks have nothing to do with each other; fewer than n are used again from the first.
        Without any resample at all, (k, t, 1).
        """
        if not any(standing.tested.any() for standing in self.standings):
            return self.values[:, :, None]
        result = np.repeat(self.values[:, :, None], n, axis=2)
        for column, standing in enumerate(self.standings):
            scores = standing.scores
            if not scores.samples.shape[1]:
                continue
            drawn = scores.samples[:, np.arange(n) % scores.samples.shape[1]]
            has = ~np.isnan(self.values[:, column]) & (self.position[:, column] >= 0) & ~self.imputed[:, column]
            rows = np.flatnonzero(has)
            known = drawn[self.position[rows, column]]
            result[rows, column] = np.where(np.isnan(known), result[rows, column], known)
            if self.imputed[:, column].any():
                result[self.imputed[:, column], column] = result[rows, column].mean(axis=0)
        return result

    def take(self, order: Sequence[int]) -> Table:
        """The entries in another order."""
        rows = list(order)
        return Table(
            tuple(self.entries[i] for i in rows),
            self.tasks,
            self.standings,
            self.values[rows],
            self.higher,
            self.position[rows],
            self.hidden[rows],
            self.imputed[rows],
        )


def table_of(
    standings: Mapping[str, TaskStanding], policy: ContaminationPolicy, entries: Collection[Entry] | None = None
) -> Table:
    """The table of these entries (default: all) over the tasks where one of them has a result."""
    wanted = None if entries is None else set(entries)
    names = sorted({e for s in standings.values() for e in s.scores.entries if wanted is None or e in wanted})
    known = set(names)
    tasks = [task for task, standing in standings.items() if known & set(standing.scores.entries)]
    chosen = [standings[task] for task in tasks]
    shape = len(names), len(tasks)
    values, position = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64)
    seen = np.zeros(shape, dtype=bool)
    for column, standing in enumerate(chosen):
        at = {entry: i for i, entry in enumerate(standing.scores.entries)}
        for row, entry in enumerate(names):
            if entry in at:
                position[row, column] = at[entry]
                values[row, column] = standing.scores.value[at[entry]]
                seen[row, column] = standing.scores.contamination[at[entry]] in SEEN
    hidden, imputed = seen & (policy == "hide"), np.zeros(shape, dtype=bool)
    if policy == "impute":
        clean = np.where(seen, np.nan, values)
        for column in np.flatnonzero(seen.any(axis=0) & ~np.isnan(clean).all(axis=0)).tolist():
            imputed[seen[:, column], column] = True
            values[seen[:, column], column] = np.nanmean(clean[:, column])
        # Where everybody has seen the test records there is nothing to take instead.
        hidden = seen & ~imputed
    values[hidden] = np.nan
    higher = np.array([standing.scores.higher_is_better for standing in chosen], dtype=bool)
    return Table(tuple(names), tuple(tasks), tuple(chosen), values, higher, position, hidden, imputed)
