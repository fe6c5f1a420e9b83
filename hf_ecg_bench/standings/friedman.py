"""Friedman's test over blocks (Friedman 1937) and Nemenyi's critical difference (Nemenyi 1963; Demsar 2006)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, rankdata, studentized_range

Floats = NDArray[np.float64]


def friedman(scores: Floats) -> tuple[float, float]:
    """(chi2, p) of `scores` (blocks, entries), higher is better, corrected for ties; (nan, nan) where all are tied."""
    n, k = scores.shape
    ranks = rankdata(scores, axis=1)
    ties = sum(float((counts**3 - counts).sum()) for counts in (np.unique(row, return_counts=True)[1] for row in ranks))
    correction = 1 - ties / (n * k * (k * k - 1))
    if correction <= 0:
        return math.nan, math.nan
    statistic = (12 / (n * k * (k + 1)) * float((ranks.sum(axis=0) ** 2).sum()) - 3 * n * (k + 1)) / correction
    return statistic, float(chi2.sf(statistic, k - 1))


def critical_difference(n_entries: int, n_blocks: int, alpha: float = 0.05) -> float:
    """How far two mean ranks must be apart: q sqrt(k (k + 1) / (6 N)), q the studentised range's quantile / sqrt(2)."""
    q = float(studentized_range.ppf(1 - alpha, n_entries, np.inf)) / math.sqrt(2)
    return q * math.sqrt(n_entries * (n_entries + 1) / (6 * n_blocks))
