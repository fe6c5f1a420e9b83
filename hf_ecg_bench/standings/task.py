"""The order on one task, with ties where the data do not separate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.standings.scores import TaskScores


@dataclass(frozen=True, eq=False)
class TaskStanding:
    """Ranks and all pairs of one task's entries.

    Attributes:
        scores: what it rests on.
        difference, low, high: (k, k) entry i minus entry j with its paired 95 % interval, as the metric counts;
            intervals are NaN where one of the two has no predictions.
        p, p_adjusted: (k, k) two-sided, and Holm-adjusted over the task's pairs; NaN where there is no interval.
        rank: (k,) by the anchor rule; `rank_low`, `rank_high`: 1 + number significantly better, k - number worse
            (k: the tested entries).
        tested: (k,) whether the entry's pairs could be tested at all. Another's rank is by value alone: that of the
            tested entry above it, or its place among the values where nothing is tested; its interval is everything.
        smallest_p: the smallest adjusted p that counting resamples can give here, pairs x 2 / (B + 1); NaN without
            pairs.
        tail: `counted`, or `normal`: as `smallest_p` is not below alpha, p values of pairs whose difference has one
            sign in every resample come from a normal tail (never above 2 / (B + 1)).
    """

    scores: TaskScores
    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]
    p_adjusted: NDArray[np.float64]
    rank: NDArray[np.int64]
    rank_low: NDArray[np.int64]
    rank_high: NDArray[np.int64]
    tested: NDArray[np.bool_]
    smallest_p: float = float("nan")
    tail: Literal["counted", "normal"] = "counted"
