"""AUROC inside each group of records and among all other records, in every resample, from one sorting per label.

The Mann-Whitney statistic of the records outside a group is that of all records, less the pairs with one or both
members in the group: so no group needs a pass of its own over all other records.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation.resampling import Counts
from hf_ecg_bench.evaluation.weighted_auroc import LabelOrder, major_counts

Floats = NDArray[np.float64]
# Minor records treated at a time: with 1,000 resamples about 1 MB.
_ROWS = 128
# Numbers (64 MB) up to which a label's minor records are converted once instead of for every group.
_KEPT = 2**23


def group_auroc(
    order: LabelOrder | None, group: NDArray[np.intp], n_groups: int, counts: Counts
) -> tuple[Floats, Floats]:
    """AUROC of one label inside and outside of each group, per column of `counts`.

    Args:
        order: the label's records in the order of their scores (`label_order`), None where a class has no record.
        group: (records,) the group of each record, 0 to n_groups - 1; every record is in one.
        counts: (records, resamples) how often each record was drawn; a column of ones gives the plain values.

    Returns:
        inside, outside: (n_groups, resamples), NaN where a resample of that part lacks a class.
    """
    shape = n_groups, counts.shape[1]
    if order is None:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    by_group = np.argsort(group[order.minor], kind="stable")
    members = _slices(group[order.minor][by_group], n_groups)
    run = np.repeat(np.arange(len(order.run_starts)), np.diff([*order.run_starts.tolist(), len(order.minor)]))[by_group]
    minor = _Drawn(order.minor[by_group], counts)
    # Twice the statistic: minor and major in the group, only the minor, only the major record in it.
    both, of_minor, of_major = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    n_minor, n_major = np.zeros(shape), np.zeros(shape)
    below_any = _Below(order, run, counts)
    of_group = group[order.major]
    for g in range(n_groups):
        n_minor[g] = counts[minor.records[members[g]]].sum(axis=0, dtype=np.float64)
        of_minor[g] = below_any.twice(minor, members[g])
        part = _only(order, of_group == g)
        if len(part.major):
            n_major[g] = counts[part.major].sum(axis=0, dtype=np.float64)
            below = _Below(part, run, counts)
            of_major[g] = below.twice(minor, slice(0, len(minor.records)))
            both[g] = below.twice(minor, members[g])
    everything = of_minor.sum(axis=0)
    inside = _share(both, n_minor * n_major)
    outside = _share(
        everything - of_minor - of_major + both, (n_minor.sum(axis=0) - n_minor) * (n_major.sum(axis=0) - n_major)
    )
    return (inside, outside) if order.minor_is_positive else (1.0 - inside, 1.0 - outside)


class _Drawn:
    """How often records were drawn, as float64 rows: kept for all of them where they are few."""

    def __init__(self, records: NDArray[np.intp], counts: Counts) -> None:
        self.records, self.counts = records, counts
        self.kept = counts[records].astype(np.float64) if len(records) * counts.shape[1] <= _KEPT else None

    def __getitem__(self, rows: slice) -> Floats:
        return self.kept[rows] if self.kept is not None else self.counts[self.records[rows]].astype(np.float64)


class _Below:
    """How often the major records below (and not above) each minor record were drawn.

    Args:
        order: whose major records are meant.
        run: (minor records,) the run of each, in the order in which `twice` is asked for them.
    """

    def __init__(self, order: LabelOrder, run: NDArray[np.intp], counts: Counts) -> None:
        edges, self.major = major_counts(order, counts, _ROWS)
        self.below, self.level = (np.searchsorted(edges, cuts)[run] for cuts in (order.below, order.level))
        self.tied = bool((self.below != self.level).any())

    def twice(self, minor: _Drawn, members: slice) -> Floats:
        """(resamples,) twice the statistic of these of the minor records: the sums are exact integers."""
        total = np.zeros(self.major.shape[1])
        for start in range(members.start, members.stop, _ROWS):
            rows = slice(start, min(start + _ROWS, members.stop))
            below = self.major[self.below[rows]]
            if self.tied:
                below = np.add(below, self.major[self.level[rows]], dtype=np.float64)
            total += np.einsum("rb,rb->b", minor[rows], below.astype(np.float64, copy=False))
        return total if self.tied else 2.0 * total


def _only(order: LabelOrder, chosen: NDArray[np.bool_]) -> LabelOrder:
    """The same with only these of its major records."""
    before = np.concatenate(([0], np.cumsum(chosen)))
    return replace(order, major=order.major[chosen], below=before[order.below], level=before[order.level])


def _slices(ordered: NDArray[np.intp], n_groups: int) -> list[slice]:
    ends = np.searchsorted(ordered, np.arange(n_groups + 1)).tolist()
    return [slice(ends[g], ends[g + 1]) for g in range(n_groups)]


def _share(twice: Floats, pairs: Floats) -> Floats:
    return np.divide(twice, 2.0 * pairs, out=np.full(twice.shape, np.nan), where=pairs > 0)
