"""Pairs and ranks of one task's entries."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from hf_ecg_bench.evaluation.intervals import percentile_interval, two_sided_p
from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.evaluation.ranking import rank
from hf_ecg_bench.standings.scores import TaskScores
from hf_ecg_bench.standings.task import TaskStanding

Floats = NDArray[np.float64]
ALPHA = 0.05


def stand(
    scores: TaskScores, *, alpha: float = ALPHA, tail: Literal["auto", "counted", "normal"] = "auto"
) -> TaskStanding:
    """Rank a task's entries: paired differences on shared resamples, Holm over the pairs, the anchor rule.

    p = 2 min(#{d <= 0} + 1, #{d >= 0} + 1) / (B + 1). The smallest adjusted p of k entries is thus k (k - 1) / (B + 1),
    so that with B = 1,000 counting separates at most 7 entries, however clear a difference is; under `auto` p values
    that have reached their smallest are then those of a normal distribution with the resampled differences' mean and
    SD. The standing says so.

    Args:
        alpha: pairs with a smaller adjusted p are separated.
        tail: `auto`, or always one of `TaskStanding.tail`.
    """
    k, n_resamples = scores.samples.shape
    tested = scores.tested
    difference = scores.value[:, None] - scores.value[None, :]
    low, high, p = (np.full((k, k), np.nan) for _ in range(3))
    first, second = (np.array(index, dtype=np.intp) for index in _pairs(tested))
    smallest = len(first) * 2 / (n_resamples + 1) if len(first) else math.nan
    use_normal = tail == "normal" or (tail == "auto" and smallest >= alpha)
    for i in np.unique(first):
        others = second[first == i]
        samples = (scores.samples[i] - scores.samples[others]).T
        low[i, others], high[i, others] = percentile_interval(samples, 0.95)
        p[i, others] = two_sided_p(samples)
        if use_normal:
            p[i, others] = np.minimum(p[i, others], _tail(samples, p[i, others]))
        low[others, i], high[others, i] = -high[i, others], -low[i, others]
        p[others, i] = p[i, others]
    adjusted = np.full((k, k), np.nan)
    adjusted[first, second] = adjusted[second, first] = holm_of_defined(p[first, second])
    gain = difference if scores.higher_is_better else -difference
    with np.errstate(invalid="ignore"):
        better = (adjusted < alpha) & (gain > 0)
    ranks, rank_low, rank_high = _ranks(scores, tested, better)
    return TaskStanding(
        scores=scores,
        difference=difference,
        low=low,
        high=high,
        p=p,
        p_adjusted=adjusted,
        rank=ranks,
        rank_low=rank_low,
        rank_high=rank_high,
        tested=tested,
        smallest_p=smallest,
        tail="normal" if use_normal else "counted",
    )


def _pairs(tested: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    those = np.flatnonzero(tested).tolist()
    pairs = [(i, j) for at, i in enumerate(those) for j in those[at + 1 :]]
    return [i for i, _ in pairs], [j for _, j in pairs]


def _tail(samples: Floats, p: Floats) -> Floats:
    """(pairs,) p of a normal with the mean and SD of `samples` (resamples, pairs), where p is the smallest count."""
    number = (~np.isnan(samples)).sum(axis=0)
    spread = np.nanstd(samples, axis=0, ddof=1)
    z = np.abs(np.nanmean(samples, axis=0)) / np.where(spread > 0, spread, np.inf)
    at_floor = p <= 2 / (number + 1) * (1 + 1e-9)
    return np.where(at_floor, 2 * norm.sf(z), p)


def _ranks(
    scores: TaskScores, tested: NDArray[np.bool_], better: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    k = len(tested)
    order = scores.value if scores.higher_is_better else -scores.value
    ranks = np.ones(k, dtype=np.int64)
    low, high = np.ones(k, dtype=np.int64), np.full(k, k, dtype=np.int64)
    those = np.flatnonzero(tested)
    if not len(those):
        ranks[:] = 1 + (order[None, :] > order[:, None]).sum(axis=1)
        return ranks, low, high
    ranking = rank(order[those], better[np.ix_(those, those)])
    ranks[those], low[those], high[those] = ranking.rank, ranking.low, ranking.high
    for i in np.flatnonzero(~tested):
        above = those[order[those] >= order[i]]
        ranks[i] = ranks[above].max() if len(above) else 1
    return ranks, low, high
