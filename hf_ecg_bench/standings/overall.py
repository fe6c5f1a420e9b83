"""The order over many tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.standings.entry import Entry

#: What to do with a cell whose test records the model may have seen: leave it out, keep it, or take instead the mean
#: of the entries that have not seen them.
ContaminationPolicy = Literal["hide", "keep", "impute"]


@dataclass(frozen=True, eq=False)
class OverallStanding:
    """k entries over t tasks.

    Attributes:
        entries: (k,) best mean rank first; `tasks`: (t,).
        values: (k, t) as used, NaN where missing or hidden; `ranks`: (k, t) among the entries that are there.
        missing: (k,) how many of the tasks an entry lacks.
        mean_rank, median_rank, win_rate: (k,) over the tasks that an entry has; a win is over one other entry on one
            task, ties count half.
        rank_low, rank_high: (k,) 95 % interval of the mean rank, tasks resampled within their datasets.
        skill, skill_low, skill_high: (k,) mean over tasks of 1 - error / error of the baseline; see `standings.skill`.
        group: (k,) number of the group of entries that are tied with its best, from 1; groups do not chain.
        category_rank: category -> (k,) mean rank over its tasks.
        friedman: {chi2, p, n_tasks, n_entries, critical_difference (Nemenyi), blocks: "tasks"} and the same over
            datasets as blocks under `datasets`; empty below three entries or two complete tasks.
        pairs: (k, k) Holm-adjusted p of Wilcoxon's signed-rank test over tasks.
        policy, rule: what was done with contaminated cells; `anchor` or `paper`.
    """

    entries: tuple[Entry, ...]
    tasks: tuple[str, ...]
    values: NDArray[np.float64]
    ranks: NDArray[np.float64]
    missing: NDArray[np.int64]
    mean_rank: NDArray[np.float64]
    median_rank: NDArray[np.float64]
    win_rate: NDArray[np.float64]
    rank_low: NDArray[np.float64]
    rank_high: NDArray[np.float64]
    skill: NDArray[np.float64]
    skill_low: NDArray[np.float64]
    skill_high: NDArray[np.float64]
    group: NDArray[np.int64]
    category_rank: Mapping[str, NDArray[np.float64]]
    pairs: NDArray[np.float64]
    policy: ContaminationPolicy
    rule: Literal["anchor", "paper"] = "anchor"
    friedman: Mapping[str, Any] = field(default_factory=dict)
