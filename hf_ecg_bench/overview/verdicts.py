"""How an entry stands to the best one of a task."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.standings.overall import ContaminationPolicy
from hf_ecg_bench.standings.task import TaskStanding

ALPHA = 0.05


@dataclass(frozen=True)
class Verdict:
    """An entry against the task's best value.

    Attributes:
        best: it has the best value (of several entries).
        tied: tested against the best, and not significantly different.
        difference, low, high: entry minus best, as the metric counts, with its paired interval; NaN for the best.
        p_adjusted: of that difference; NaN where it could not be tested.
    """

    best: bool
    tied: bool
    difference: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_adjusted: float = math.nan


def verdicts(standing: TaskStanding, policy: ContaminationPolicy = "keep") -> list[Verdict]:
    """One per entry of the task, in its order. One entry alone is best of nothing.

    Args:
        policy: but for `keep`, entries whose test records may have been seen are not candidates for the best.
    """
    scores = standing.scores
    value = np.array(scores.value if scores.higher_is_better else -scores.value)
    if policy != "keep":
        value[[state == "test_records" for state in scores.contamination]] = np.nan
    if len(value) < 2 or not np.isfinite(value).any():
        return [Verdict(False, False) for _ in value]
    best = int(np.nanargmax(value))
    found = []
    for i in range(len(value)):
        if value[i] == value[best]:
            found.append(Verdict(True, False))
            continue
        p = float(standing.p_adjusted[i, best])
        difference, low, high = (float(getattr(standing, name)[i, best]) for name in ("difference", "low", "high"))
        found.append(Verdict(False, p >= ALPHA and bool(np.isfinite(value[i])), difference, low, high, p))
    return found
