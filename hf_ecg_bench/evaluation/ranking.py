"""Ranks that treat models as tied where the data do not separate them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.evaluation.arrays import check_arrays
from hf_ecg_bench.evaluation.comparison import difference
from hf_ecg_bench.evaluation.estimates import LOWER_IS_BETTER, Metric, estimate
from hf_ecg_bench.evaluation.intervals import difference_interval
from hf_ecg_bench.evaluation.multiplicity import holm
from hf_ecg_bench.evaluation.resampling import draw_resamples
from hf_ecg_bench.evaluation.undefined import Undefined


@dataclass(frozen=True, eq=False)
class Ranking:
    """Shared ranks and rank intervals, in the order of the models as given.

    Attributes:
        rank: (models,) by the anchor rule, 1 = best.
        low: (models,) 1 + number of models that are significantly better.
        high: (models,) number of models - number that are significantly worse.
    """

    rank: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ModelRanking(Ranking):
    """A ranking with what it rests on: names, values, Holm-adjusted p values (models, models)."""

    names: tuple[str, ...]
    values: NDArray[np.float64]
    p_adjusted: NDArray[np.float64]


def rank(scores: ArrayLike, significantly_better: ArrayLike, *, higher_is_better: bool = True) -> Ranking:
    """Rank models without chaining (anchor rule).

    Walk down by score. The best model is the anchor; a model shares the anchor's rank unless the anchor is
    significantly better. The first that is worse opens the next rank and becomes the anchor. (Merging all
    pairs that are not separable chains, and can put everything into one group.)

    Args:
        scores: (models,) finite point values.
        significantly_better: (models, models) bool, entry i, j: i is significantly better than j.
    """
    values, better = np.asarray(scores, dtype=np.float64), np.asarray(significantly_better, dtype=bool)
    n = len(values)
    if values.ndim != 1 or better.shape != (n, n) or not np.isfinite(values).all():
        raise EcgBenchError(
            f"rank: expected n finite scores and an (n, n) matrix, found {values.shape}, {better.shape}"
        )
    order = np.argsort(-values if higher_is_better else values, kind="stable")
    ranks = np.empty(n, dtype=np.int64)
    current, anchor = 0, None
    for model in order.tolist():
        if anchor is None or better[anchor, model]:
            current, anchor = current + 1, model
        ranks[model] = current
    return Ranking(ranks, 1 + better.sum(axis=0), n - better.sum(axis=1))


def rank_models(
    targets: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
    undefined: Undefined = "drop",
    metric: Metric = "auroc",
    alpha: float = 0.05,
    thresholds: Mapping[str, ArrayLike] | None = None,
) -> ModelRanking:
    """Rank models on one test set: all pairs by the paired bootstrap on shared resamples, Holm-adjusted.

    Args:
        predictions: model name -> (records, targets), rows in the order of `targets`.
        alpha: a pair is separated if its adjusted p is below this. With k models the smallest adjusted p is
            about k (k - 1) / (B + 1): take B = `n_resamples` large enough (10 models: 2,000 or more).
        thresholds: model name -> (targets,) its own, for `f1` and `micro_f1`.
    """
    if not predictions:
        raise EcgBenchError("rank_models: expected at least one model, found none")
    names = tuple(predictions)
    resamples = draw_resamples(len(np.asarray(targets)), n_resamples=n_resamples, seed=seed, groups=groups)
    limits = thresholds or {}
    estimates = [
        estimate(metric, *check_arrays(targets, predictions[name]), resamples, undefined, limits.get(name))
        for name in names
    ]
    n = len(names)
    first, second = np.triu_indices(n, k=1)
    gaps = [difference(estimates[i], estimates[j]) for i, j in zip(first, second, strict=True)]
    p = [float(difference_interval(metric, np.asarray(gap.value), gap.samples, 0.95)[2]) for gap in gaps]
    adjusted = np.ones((n, n))
    adjusted[first, second] = adjusted[second, first] = holm(p)
    values = np.array([item.value for item in estimates])
    higher_is_better = metric not in LOWER_IS_BETTER
    gain = values[:, None] - values[None, :]
    better = (adjusted < alpha) & ((gain > 0) if higher_is_better else (gain < 0))
    ranking = rank(values, better, higher_is_better=higher_is_better)
    return ModelRanking(ranking.rank, ranking.low, ranking.high, names, values, adjusted)
