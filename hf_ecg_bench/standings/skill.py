"""How much of a baseline's error an entry removes, over tasks with different metrics.

Error is 1 - AUROC, or the MAE. The skill score is 1 - the geometric mean over tasks of error / error of the baseline,
each ratio clipped to [0.01, 100] (as in the fev benchmark, Shchur et al. 2025): 0 is as good as the baseline, 0.5
half its error, below 0 worse. The geometric mean gives halving and doubling the same weight.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.standings.entry import Entry

Floats = NDArray[np.float64]
CLIP = 0.01, 100.0
BASELINE_MODEL = "s4"
#: A model that is not pretrained has one mode; published tables call it so as well.
SUPERVISED = ("scratch", "supervised")


def errors(values: Floats, higher_is_better: NDArray[np.bool_]) -> Floats:
    """1 - score, or the error itself; tasks on the last axis."""
    return np.where(higher_is_better, 1.0 - values, values)


def choose_baseline(entries: Sequence[Entry], values: Floats) -> int | None:
    """The position of S4 trained from scratch: of several (ours, published) the one with most tasks, ours first."""
    found = [i for i, entry in enumerate(entries) if entry.model == BASELINE_MODEL and entry.mode in SUPERVISED]
    if not found:
        return None
    return min(found, key=lambda i: (np.isnan(values[i]).sum(), entries[i].origin != "ours", entries[i]))


def log_ratios(error: Floats, baseline: int | None) -> Floats:
    """log(error / error of the baseline), clipped; (..., k, t), NaN where one is missing.

    Args:
        error: (..., k, t).
        baseline: position of the baseline entry, or None: the median entry of each task is it.
    """
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.filterwarnings("ignore", "All-NaN slice")
        base = np.nanmedian(error if baseline is None else error[..., [baseline], :], axis=-2, keepdims=True)
        ratio = np.where((error == 0) & (base == 0), 1.0, error / base)
        return np.asarray(np.log(np.clip(ratio, *CLIP)))


def skill(ratios: Floats) -> Floats:
    """1 - geometric mean over the last axis; NaN where no task has a ratio."""
    known = ~np.isnan(ratios)
    number = known.sum(axis=-1)
    total = np.where(known, ratios, 0.0).sum(axis=-1)
    return np.asarray(1.0 - np.exp(np.divide(total, number, out=np.full(number.shape, np.nan), where=number > 0)))
