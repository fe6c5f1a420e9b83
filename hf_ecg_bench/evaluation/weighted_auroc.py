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

# Counts gathered at a time (about 0.5 MB): the rows of a large test set stay in the processor's cache.
_GATHER = 2**18


@dataclass(frozen=True, eq=False)
class LabelOrder:
    """One label's records in the order of their scores.

    The class with fewer records is `minor`, the other `major`. Minor records with the same number of major
    records below and level are a run, which needs one product only.

    Attributes:
        minor, major: record numbers in ascending order of score.
        run_starts: (runs,) position of each run's first record in `minor`.
        below, level: (runs,) number of major records with a lower score, and with a lower or the same.
        minor_is_positive: which class is which.
    """

    minor: NDArray[np.intp]
    major: NDArray[np.intp]
    run_starts: NDArray[np.intp]
    below: NDArray[np.intp]
    level: NDArray[np.intp]
    minor_is_positive: bool

    def of_rows(self, width: int) -> LabelOrder:
        """For cells of a flattened (records, width) matrix: each cell replaced by its record."""
        return replace(self, minor=self.minor // width, major=self.major // width)


def label_order(target: FloatArray, score: FloatArray, *, minor_is_positive: bool | None = None) -> LabelOrder | None:
    """Sort one label's records, those with a NaN target left out; None where a class has no record.

    Args:
        minor_is_positive: which class to treat as the minor one; by default the smaller one, which is faster.
    """
    positive, negative = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    if not len(positive) or not len(negative):
        return None
    if minor_is_positive is None:
        minor_is_positive = len(positive) <= len(negative)
    minor, major = (positive, negative) if minor_is_positive else (negative, positive)
    minor, major = minor[np.argsort(score[minor])], major[np.argsort(score[major])]
    below = np.searchsorted(score[major], score[minor], "left")
    level = np.searchsorted(score[major], score[minor], "right")
    new = np.ones(len(minor), dtype=bool)
    new[1:] = (below[1:] != below[:-1]) | (level[1:] != level[:-1])
    run_starts = np.flatnonzero(new)
    return LabelOrder(minor, major, run_starts, below[run_starts], level[run_starts], minor_is_positive)


@dataclass(frozen=True, eq=False)
class Drawn:
    """How often a label's major records were drawn, cumulated along their order.

    Attributes:
        edges: (edges,) positions in `order.major`; among them every `below` and `level`, and the end.
        major: (edges, resamples) how many records before each of them were drawn.
    """

    edges: NDArray[np.intp]
    major: Counts

    def before(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows of `major` for these of the edges."""
        return np.searchsorted(self.edges, positions)


def drawn_majors(order: LabelOrder, counts: Counts) -> Drawn:
    """Cumulate the major records of every column of `counts` (records, resamples)."""
    return Drawn(*major_counts(order, counts, gathered_rows(counts)))


def gathered_rows(counts: Counts) -> int:
    """How many records are treated at a time."""
    return max(32, _GATHER // counts.shape[1])


def weighted_auroc(order: LabelOrder | None, counts: Counts, drawn: Drawn | None = None) -> NDArray[np.float64]:
    """AUROC per column of `counts` (records, resamples), NaN where a resample lacks a class.

    Sums of counts are exact integers; the products are exact in float64 up to 2**53.

    Args:
        drawn: what `drawn_majors` gave for the same order and counts, where it is there already.
    """
    n_resamples = counts.shape[1]
    if order is None:
        return np.full(n_resamples, np.nan)
    rows = gathered_rows(counts)
    drawn = drawn_majors(order, counts) if drawn is None else drawn
    major, below, level = drawn.major, drawn.before(order.below), drawn.before(order.level)
    twice, n_minor = np.zeros(n_resamples), np.zeros(n_resamples)
    for first in range(0, len(below), rows):
        runs = slice(first, first + rows)
        bounds = [*order.run_starts.tolist(), len(order.minor)][runs.start : runs.stop + 1]
        minor = drawn_groups(order.minor, bounds, counts)
        # Twice the Mann-Whitney statistic: major records below + not above, for every minor record drawn.
        twice += np.einsum("rb,rb->b", np.add(major[below[runs]], major[level[runs]], dtype=np.float64), minor)
        n_minor += minor.sum(axis=0)
    pairs = 2.0 * major[-1] * n_minor
    share = np.divide(twice, pairs, out=np.full(n_resamples, np.nan), where=pairs > 0)
    return share if order.minor_is_positive else 1.0 - share


def major_counts(order: LabelOrder, counts: Counts, rows: int) -> tuple[NDArray[np.intp], Counts]:
    """(edges,) positions in `order.major`, and (edges, resamples) how many records were drawn before each."""
    n_major, n_resamples = len(order.major), counts.shape[1]
    edges = np.unique(np.concatenate((order.below, order.level, np.arange(0, n_major, rows), [n_major])))
    cuts = edges.tolist()
    cumulated = np.empty((len(cuts), n_resamples), dtype=counts.dtype)
    cumulated[0] = 0
    gathered = np.empty((min(rows, n_major), n_resamples), dtype=counts.dtype)
    # One call per cut adds whole rows, which numpy vectorises; reduceat and cumsum along this axis do not.
    start = stop = 0
    for k in range(1, len(cuts)):
        if cuts[k - 1] == stop:
            start, stop = stop, min(stop + rows, n_major)
            # mode="clip" lets take write straight into the buffer; no index is out of range.
            np.take(counts, order.major[start:stop], axis=0, out=gathered[: stop - start], mode="clip")
        part = gathered[cuts[k - 1] - start : cuts[k] - start]
        np.add.reduce(part, axis=0, dtype=counts.dtype, out=cumulated[k])
        np.add(cumulated[k], cumulated[k - 1], out=cumulated[k])
    return edges, cumulated


def drawn_groups(records: NDArray[np.intp], bounds: list[int], counts: Counts) -> NDArray[np.float64]:
    """(groups, resamples): how many of the records between each two bounds were drawn."""
    gathered = counts[records[bounds[0] : bounds[-1]]]
    if len(gathered) == len(bounds) - 1:
        return gathered.astype(np.float64)
    total = np.empty((len(bounds) - 1, counts.shape[1]), dtype=counts.dtype)
    for k in range(len(total)):
        part = gathered[bounds[k] - bounds[0] : bounds[k + 1] - bounds[0]]
        np.add.reduce(part, axis=0, dtype=counts.dtype, out=total[k])
    return total.astype(np.float64)
