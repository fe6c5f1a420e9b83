"""Ranks on every task of a table, and their intervals by resampling tasks and patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from hf_ecg_bench.standings.cells import Table
from hf_ecg_bench.standings.overall import Rule

Floats = NDArray[np.float64]


def value_ranks(signed: Floats) -> Floats:
    """Ranks along the first axis, 1 = highest, ties averaged; NaN stays and is not counted."""
    missing = np.isnan(signed)
    ranks = rankdata(np.where(missing, np.inf, -signed), axis=0) if signed.size else np.zeros(signed.shape)
    return np.where(missing, np.nan, ranks)


def task_ranks(table: Table, rule: Rule) -> Floats:
    """(k, t): ranks of values, or under `paper` 1 + the number of entries that are significantly better.

    Significant is a paired difference whose 95 % interval excludes 0, without adjustment, as in the paper; where
    there are no predictions to pair, the higher value. What the paper did where that is not transitive is not
    recoverable; counting who is better needs no decision about it.
    """
    ranks = value_ranks(table.signed)
    if rule == "anchor":
        return ranks
    for column, standing in enumerate(table.standings):
        rows = np.flatnonzero(~np.isnan(table.values[:, column]))
        signed = table.signed[rows, column]
        at = table.position[rows, column]
        low, high = standing.low[np.ix_(at, at)], standing.high[np.ix_(at, at)]
        ahead = low > 0 if table.higher[column] else high < 0
        replaced = table.imputed[rows, column]
        untested = np.isnan(low) | replaced[:, None] | replaced[None, :]
        better = np.where(untested, signed[:, None] > signed[None, :], ahead)
        ranks[rows, column] = 1 + better.sum(axis=0)
    return ranks


def win_rate(ranks: Floats) -> Floats:
    """(k,) share of the other entries, over all tasks, that an entry is ahead of; a tie is half. `ranks` of values."""
    others = (~np.isnan(ranks)).sum(axis=0) - 1
    there = ~np.isnan(ranks)
    wins = np.where(there, others + 1 - ranks, 0.0).sum(axis=1)
    number = np.where(there, others, 0).sum(axis=1)
    return np.asarray(np.divide(wins, number, out=np.full(len(ranks), np.nan), where=number > 0))


def draw_tasks(datasets: Sequence[str], n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """(n, t) positions of tasks, drawn with replacement among the tasks of the same dataset."""
    drawn = np.empty((n, len(datasets)), dtype=np.intp)
    names = np.array(datasets)
    for dataset in dict.fromkeys(datasets):
        those = np.flatnonzero(names == dataset)
        drawn[:, those] = those[rng.integers(0, len(those), (n, len(those)))]
    return drawn


def over_datasets(ranks: Floats, datasets: Sequence[str], n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Ends of the mean rank's 95 % interval where whole datasets are drawn, with all their tasks.

    Tasks of one dataset share patients, models and often a training run, so this says what other datasets might have
    said; it is NaN for an entry with tasks of one dataset alone.

    Args:
        ranks: (k, t), NaN where missing.
        datasets: (t,) of each task.
    """
    names = list(dict.fromkeys(datasets))
    member = np.array([[dataset == name for name in names] for dataset in datasets], dtype=np.float64)
    there = ~np.isnan(ranks)
    total, number = np.where(there, ranks, 0.0) @ member, there @ member
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), n).T
    drawn, counted = total @ times, number @ times
    several = (number > 0).sum(axis=1) > 1
    defined = (counted > 0) & several[:, None]
    return interval(np.divide(drawn, counted, out=np.full((len(ranks), n), np.nan), where=defined))


def mean_over_tasks(values: Floats) -> Floats:
    """Mean over the last axis of what is there; NaN where nothing is."""
    known = ~np.isnan(values)
    number = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.asarray(np.divide(total, number, out=np.full(number.shape, np.nan), where=number > 0))


def interval(draws: Floats) -> tuple[Floats, Floats]:
    """(k,) 2.5 % and 97.5 % of `draws` (k, n), undefined ones left out."""
    low, high = np.full(len(draws), np.nan), np.full(len(draws), np.nan)
    for row, values in enumerate(draws):
        defined = values[~np.isnan(values)]
        if len(defined):
            low[row], high[row] = np.percentile(defined, [2.5, 97.5])
    return low, high
