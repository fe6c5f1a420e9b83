"""Average precision of many weightings of the same records at once, from the sums that the AUROC needs too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray
from hf_ecg_bench.evaluation.resampling import Counts
from hf_ecg_bench.evaluation.weighted_auroc import (
    Drawn,
    LabelOrder,
    drawn_groups,
    drawn_majors,
    label_order,
    weighted_auroc,
)

Floats = NDArray[np.float64]

# Scores treated at a time: with 1,000 resamples 0.5 MB per array, so that they stay in the processor's cache.
_SCORES = 64


def weighted_curves(
    target: FloatArray, score: FloatArray, counts: Counts, *, width: int | None = None
) -> tuple[Floats, Floats]:
    """AUROC and average precision of one label per column of `counts`, NaN where a resample lacks a class.

    Args:
        target, score: (records,), or the flattened cells of a (records, width) matrix.
        counts: (records, resamples) how often each record was drawn.
    """
    order = label_order(target, score)
    if order is None:
        nothing = np.full(counts.shape[1], np.nan)
        return nothing, nothing.copy()
    rows = order if width is None else order.of_rows(width)
    drawn = drawn_majors(rows, counts)
    auroc = weighted_auroc(rows, counts, drawn)
    if not order.minor_is_positive:
        order = label_order(target, score, minor_is_positive=True)
        assert order is not None
        rows = order if width is None else order.of_rows(width)
        drawn = drawn_majors(rows, counts)
    starts = np.flatnonzero(np.diff(score_of_minor(order, target, score), prepend=np.inf) != 0)
    return auroc, weighted_precision(rows, starts, _below(order, starts), counts, drawn)


def score_of_minor(order: LabelOrder, target: FloatArray, score: FloatArray) -> FloatArray:
    """The minor records' scores, ascending."""
    return np.sort(score[target == (1 if order.minor_is_positive else 0)])


def weighted_precision(
    order: LabelOrder, starts: NDArray[np.intp], below: NDArray[np.intp], counts: Counts, drawn: Drawn
) -> Floats:
    """Average precision per column of `counts`; `order.minor` are the positives.

    Args:
        starts: (scores,) position of the first positive of each different score, ascending.
        below: (scores,) number of negatives with a lower score.
    """
    n_resamples, n_negative = counts.shape[1], drawn.major[-1].astype(np.float64)
    row, bounds = drawn.before(below), [*starts.tolist(), len(order.minor)]
    total, found = np.zeros(n_resamples), np.zeros(n_resamples)
    for last in range(len(starts), 0, -_SCORES):
        first = max(0, last - _SCORES)
        positive = drawn_groups(order.minor, bounds[first : last + 1], counts)
        hit = np.empty_like(positive)  # positives drawn with at least this score
        # One call per row adds whole rows, which numpy vectorises; cumsum along this axis does not.
        for k in range(len(positive) - 1, -1, -1):
            found = np.add(found, positive[k], out=hit[k])
        called = np.subtract(n_negative, drawn.major[row[first:last]])
        called += hit
        np.maximum(called, 1.0, out=called)  # nothing drawn with at least this score: then no positive either
        np.divide(hit, called, out=called)
        total += np.einsum("rb,rb->b", positive, called)
        found = found.copy()
    defined = (found > 0) & (n_negative > 0)
    return np.divide(total, found, out=np.full(n_resamples, np.nan), where=defined)


def _below(order: LabelOrder, starts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of positives: the runs of the AUROC have one number of negatives below each."""
    run = np.searchsorted(order.run_starts, starts, "right") - 1
    return order.below[run]
