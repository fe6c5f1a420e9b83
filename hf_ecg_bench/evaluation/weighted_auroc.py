"""AUROC of many weightings of the same records at once: the kernel of the bootstrap.

A resample gives each record a count, and the AUROC of the resample is that of the original scores under these
weights. So each label is sorted once; every resample then needs only sums of counts along that order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray
from hf_ecg_bench.evaluation.resampling import Counts


@dataclass(frozen=True, eq=False)
class LabelOrder:
    """One label's records in the order of their scores.

    The class with fewer records is `minor`, the other `major`. Minor records with the same number of major
    records below and level are a run; a run needs one product. `edges` cuts the sorted major records
    wherever a run needs their cumulated count; `below` and `level` index `edges` (first major record not
    below, first above).
    """

    minor: NDArray[np.intp]
    major: NDArray[np.intp]
    run_starts: NDArray[np.intp]
    edges: NDArray[np.intp]
    below: NDArray[np.intp]
    level: NDArray[np.intp]
    minor_is_positive: bool

    def of_rows(self, width: int) -> LabelOrder:
        """For cells of a flattened (records, width) matrix: each cell replaced by its record."""
        return replace(self, minor=self.minor // width, major=self.major // width)


def label_order(target: FloatArray, score: FloatArray) -> LabelOrder | None:
    """Sort one label's records, those with a NaN target left out; None where a class has no record."""
    positive, negative = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    if not len(positive) or not len(negative):
        return None
    minor_is_positive = len(positive) <= len(negative)
    minor, major = (positive, negative) if minor_is_positive else (negative, positive)
    minor, major = minor[np.argsort(score[minor])], major[np.argsort(score[major])]
    below = np.searchsorted(score[major], score[minor], "left")
    level = np.searchsorted(score[major], score[minor], "right")
    new = np.ones(len(minor), dtype=bool)
    new[1:] = (below[1:] != below[:-1]) | (level[1:] != level[:-1])
    run_starts = np.flatnonzero(new)
    below, level = below[run_starts], level[run_starts]
    edges = np.unique(np.concatenate(([0, len(major)], below, level)))
    return LabelOrder(
        minor,
        major,
        run_starts,
        edges,
        np.searchsorted(edges, below),
        np.searchsorted(edges, level),
        minor_is_positive,
    )


def weighted_auroc(order: LabelOrder | None, counts: Counts) -> NDArray[np.float64]:
    """AUROC per column of `counts` (records, resamples), NaN where a resample lacks a class.

    Sums of counts are exact integers; the products are exact in float64 up to 2**53.
    """
    n_resamples = counts.shape[1]
    if order is None:
        return np.full(n_resamples, np.nan)
    major = _cumulated(counts[order.major], order.edges)
    minor = _run_sums(counts[order.minor], order.run_starts)
    # Twice the Mann-Whitney statistic: major below + major not above, for every minor record drawn.
    beaten = np.add(major[order.below], major[order.level], dtype=np.float64)
    twice = np.einsum("rb,rb->b", beaten, minor.astype(np.float64))
    pairs = 2.0 * major[-1] * minor.sum(axis=0, dtype=np.float64)
    share = np.divide(twice, pairs, out=np.full(n_resamples, np.nan), where=pairs > 0)
    return share if order.minor_is_positive else 1.0 - share


def _cumulated(rows: Counts, edges: NDArray[np.intp]) -> Counts:
    """Sums of rows[:edge] for every edge, shape (edges, resamples)."""
    total = np.zeros((len(edges), rows.shape[1]), dtype=rows.dtype)
    cuts = edges.tolist()
    # One call per cut adds whole rows, which numpy vectorises; reduceat and cumsum along this axis are
    # slower.
    for k in range(1, len(cuts)):
        np.add.reduce(rows[cuts[k - 1] : cuts[k]], axis=0, dtype=rows.dtype, out=total[k])
        np.add(total[k], total[k - 1], out=total[k])
    return total


def _run_sums(rows: Counts, starts: NDArray[np.intp]) -> Counts:
    """Sums of the rows of each run, shape (runs, resamples)."""
    if len(starts) == len(rows):
        return rows
    total = np.empty((len(starts), rows.shape[1]), dtype=rows.dtype)
    ends = [*starts[1:].tolist(), len(rows)]
    for k, start in enumerate(starts.tolist()):
        np.add.reduce(rows[start : ends[k]], axis=0, dtype=rows.dtype, out=total[k])
    return total
