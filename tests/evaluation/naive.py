"""Slow, obvious versions of the metrics, to check the fast ones against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def naive_auroc(target: NDArray, score: NDArray, weight: NDArray | None = None) -> float:
    """Mann-Whitney by all pairs of records, each pair weighted by the product of its records' weights."""
    weight = np.ones(len(target)) if weight is None else weight.astype(float)
    positive, negative = target == 1, target == 0
    difference = score[positive][:, None] - score[negative][None, :]
    credit = (difference > 0) + 0.5 * (difference == 0)
    pairs = np.outer(weight[positive], weight[negative])
    return float((credit * pairs).sum() / pairs.sum()) if pairs.sum() > 0 else float("nan")


def random_case(rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Targets with missing values and rare classes, scores with many, some or no ties."""
    n, labels = int(rng.integers(1, 40)), int(rng.integers(1, 6))
    prevalence = rng.choice([0.0, 0.05, 0.3, 0.7, 1.0], size=labels)
    targets = (rng.random((n, labels)) < prevalence).astype(float)
    targets[rng.random((n, labels)) < rng.choice([0.0, 0.2])] = np.nan
    scores = rng.normal(size=(n, labels))
    levels = rng.choice([0, 1, 3, 10])
    if levels:
        scores = np.round(scores * levels) / levels
    return targets, scores if rng.random() < 0.5 else scores.astype(np.float32)
