"""Wilcoxon's signed-rank test (Wilcoxon 1945) of many pairs at once."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

Floats = NDArray[np.float64]
#: Up to so many differences without ties the null distribution is counted out, above it is taken as normal.
EXACT = 25


def signed_rank_p(differences: Floats) -> Floats:
    """Two-sided p per row of `differences` (pairs, blocks); NaN entries are absent, zeros are dropped.

    Exact for up to 25 differences without ties, else the normal approximation with the correction for ties and
    without one for continuity, as `scipy.stats.wilcoxon(method="approx")`. NaN for rows without any difference but
    zeros: 1 where zeros are all that is there.
    """
    d = np.where(np.isnan(differences), 0.0, differences)
    used = d != 0
    n = used.sum(axis=1)
    # The zeros get the lowest ranks: taking their number away leaves the ranks among the others.
    ranks = rankdata(np.abs(d), axis=1) if d.size else np.zeros(d.shape)
    ranks = np.where(used, ranks - (d.shape[1] - n)[:, None], 0.0)
    plus = np.where(d > 0, ranks, 0.0).sum(axis=1)
    mean = n * (n + 1) / 4
    variance = (ranks**2).sum(axis=1) / 4
    z = np.divide(plus - mean, np.sqrt(variance), out=np.zeros(len(d)), where=variance > 0)
    p = 2 * norm.sf(np.abs(z))
    tied = ~np.isclose(variance, n * (n + 1) * (2 * n + 1) / 24)
    for row in np.flatnonzero(~tied & (n > 0) & (n <= EXACT)):
        smaller = round(min(plus[row], n[row] * (n[row] + 1) / 2 - plus[row]))
        p[row] = min(1.0, 2 * float(_lower_tail(int(n[row]))[smaller]))
    p[n == 0] = np.where(np.isnan(differences[n == 0]).all(axis=1), np.nan, 1.0)
    return p


@cache
def _lower_tail(n: int) -> Floats:
    """P(W <= w) for w from 0: every set of ranks 1..n is equally likely."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1
    for rank in range(1, n + 1):
        ways[rank:] += ways[:-rank].copy()
    return np.cumsum(ways) / 2.0**n


def smallest_p(n_blocks: int, n_tests: int = 1) -> float:
    """The smallest p, Bonferroni- or Holm-adjusted for `n_tests`, that so many differences can give."""
    return min(1.0, n_tests * 2.0 ** (1 - n_blocks)) if n_blocks else 1.0
