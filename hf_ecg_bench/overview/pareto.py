"""Which of several choices nothing else beats in both cost and quality."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pareto_front(cost: NDArray[np.float64], quality: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether no other choice is at most as costly and at least as good, and better in one of the two.

    Args:
        cost, quality: (n,); lower cost and higher quality are better. NaN in either is never on the front.
    """
    known = np.isfinite(cost) & np.isfinite(quality)
    cheaper = cost[None, :] <= cost[:, None]
    better = quality[None, :] >= quality[:, None]
    strictly = (cost[None, :] < cost[:, None]) | (quality[None, :] > quality[:, None])
    beaten = (cheaper & better & strictly & known[None, :]).any(axis=1)
    return known & ~beaten
