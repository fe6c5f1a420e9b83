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
#: `anchor`: ranks of values, groups from tests over tasks. `paper`: ranks that pairs share unless a task's own test
#: separates them; see `standings.across`.
Rule = Literal["anchor", "paper"]


@dataclass(frozen=True, eq=False)
class OverallStanding:
    """k entries over t tasks.

    Attributes:
        entries: (k,) those with results on enough tasks first, best mean rank first; `tasks`: (t,).
        values: (k, t) as used, NaN where missing or hidden; `ranks`: (k, t) among the entries that are there.
        missing: (k,) how many of the tasks an entry lacks; `hidden`: (k,) how many more are left out (`hide`);
            `imputed`: (k,) how many are replaced.
        enough: (k,) whether it has at least half of the tasks. Others have mean ranks of few tasks, perhaps the
            easy ones: they are listed last, in group 0, and not tested.
        mean_rank, median_rank, win_rate: (k,) over the tasks that an entry has; a win is over one other entry on one
            task, ties count half.
        rank_low, rank_high: (k,) 95 % interval of the mean rank: tasks resampled within their datasets, and test
            patients where they are known. `dataset_low`, `dataset_high`: the same where whole datasets are drawn
            (`ranks.over_datasets`).
        skill, skill_low, skill_high: (k,) 1 - geometric mean over tasks of error / error of the baseline; see
            `standings.skill`. `baseline`: in words; empty where there is none.
        group: (k,) number of the group of entries that are tied with its best, from 1; groups do not chain.
        category_rank: category -> (k,) mean rank over its tasks; NaN without any.
        friedman: {chi2, p, n_tasks, n_entries, critical_difference (Nemenyi), mean_rank, entries (positions here),
            blocks: "tasks"} over the tasks that all entries with enough tasks have, and the same over datasets as
            blocks under `datasets`; empty below three entries or two such blocks.
        pairs: (k, k) Holm-adjusted p of Wilcoxon's signed-rank test over tasks, NaN where it cannot be tested.
        policy, rule: what was done with contaminated cells; `anchor` or `paper`.
        notes: what a reader must know, in sentences.
    """

    entries: tuple[Entry, ...]
    tasks: tuple[str, ...]
    values: NDArray[np.float64]
    ranks: NDArray[np.float64]
    missing: NDArray[np.int64]
    hidden: NDArray[np.int64]
    imputed: NDArray[np.int64]
    enough: NDArray[np.bool_]
    mean_rank: NDArray[np.float64]
    median_rank: NDArray[np.float64]
    win_rate: NDArray[np.float64]
    rank_low: NDArray[np.float64]
    rank_high: NDArray[np.float64]
    dataset_low: NDArray[np.float64]
    dataset_high: NDArray[np.float64]
    skill: NDArray[np.float64]
    skill_low: NDArray[np.float64]
    skill_high: NDArray[np.float64]
    baseline: str
    group: NDArray[np.int64]
    category_rank: Mapping[str, NDArray[np.float64]]
    pairs: NDArray[np.float64]
    policy: ContaminationPolicy
    rule: Rule = "anchor"
    friedman: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
