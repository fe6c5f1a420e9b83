"""Pairs and targets of every task."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hf_ecg_bench.leaderboard.numbers import amount, matrix, number, numbers
from hf_ecg_bench.leaderboard.space.board.snapshot import PairRow, Target, TaskPage
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.scores import TargetScores
from hf_ecg_bench.standings.task import TaskStanding

#: More targets than this are not shown: the most frequent ones are.
MAX_TARGETS = 120


def task_page(standing: TaskStanding, entries: Mapping[Entry, int]) -> TaskPage:
    """The page's file; entries best first."""
    scores = standing.scores
    order = np.argsort(-scores.value if scores.higher_is_better else scores.value, kind="stable")
    square = np.ix_(order, order)
    page: TaskPage = {
        "task": scores.task,
        "resampling": _resampling(standing),
        "pairs": {
            "entries": [entries[scores.entries[i]] for i in order],
            "difference": matrix(standing.difference[square], 4),
            "low": matrix(standing.low[square], 4),
            "high": matrix(standing.high[square], 4),
            "p_adjusted": matrix(standing.p_adjusted[square], 6),
        },
        "targets": [],
        "targets_left_out": 0,
    }
    if scores.targets is not None:
        shown = _shown(scores.targets)
        page["targets"] = [_target(scores.targets, at, order) for at in shown]
        page["targets_left_out"] = len(scores.targets.names) - len(shown)
    return page


def pair_rows(standings: Mapping[str, TaskStanding], entry: Entry, entries: Mapping[Entry, int]) -> dict[str, PairRow]:
    """{task: an entry against all others that it was tested against}; empty where it has no predictions."""
    found: dict[str, PairRow] = {}
    for task, standing in standings.items():
        if entry not in standing.scores.entries:
            continue
        i = standing.scores.entries.index(entry)
        others = np.flatnonzero(~np.isnan(standing.p_adjusted[i]))
        if len(others):
            found[task] = {
                "others": [entries[standing.scores.entries[j]] for j in others],
                "difference": numbers(standing.difference[i, others], 4),
                "low": numbers(standing.low[i, others], 4),
                "high": numbers(standing.high[i, others], 4),
                "p_adjusted": numbers(standing.p_adjusted[i, others], 6),
            }
    return found


def _resampling(standing: TaskStanding) -> str:
    scores = standing.scores
    if not standing.tested.any():
        return "There are no predictions here: nothing can be tested, and the order is that of the values."
    n, k = scores.samples.shape[1], int(standing.tested.sum())
    text = (
        f"{n:,} resamples of {'patients' if scores.unit == 'patient' else 'records'}, shared by all {k} entries with "
        f"predictions ({scores.n_records:,} test records); p values are two-sided and Holm-adjusted over all pairs."
    )
    if standing.tail == "normal":
        text += (
            f" With so many pairs, counting resamples cannot give an adjusted p below {standing.smallest_p:.2g}: where "
            "every resample has the same sign, p is that of a normal distribution with the differences' mean and SD."
        )
    untested = len(scores.entries) - k
    if untested:
        text += f" {untested} entries have no predictions: their differences are untested."
    if scores.excluded:
        text += f" {len(scores.excluded)} runs are left out (other test records, or unusable)."
    return text


def _shown(targets: TargetScores) -> list[int]:
    """Positions of the targets to show, in their order: numbers, and the labels with most positives."""
    support = np.where(np.isnan(targets.n_positive), np.inf, targets.n_positive)
    return sorted(np.argsort(-support, kind="stable")[:MAX_TARGETS].tolist())


def _target(targets: TargetScores, at: int, order: np.ndarray) -> Target:
    return {
        "name": targets.names[at],
        "kind": targets.kinds[at],
        "metric": "auroc" if targets.kinds[at] == "binary" else "mae",
        "n_positive": amount(targets.n_positive[at]),
        "n": number(targets.n[at], 0),
        "value": numbers(targets.value[order, at], 4),
        "low": numbers(targets.low[order, at], 4),
        "high": numbers(targets.high[order, at], 4),
    }
