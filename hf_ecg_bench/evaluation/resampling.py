"""Bootstrap resamples as counts: how often each record was drawn in each resample.

A resample's metric depends on the counts alone, so they are drawn once for all labels, metrics and models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import PredictionsError

Counts = NDArray[np.unsignedinteger[Any]]

# Resamples are drawn in blocks of this many; the numbers do not depend on it, the memory does.
_BLOCK = 32


@dataclass(frozen=True, eq=False)
class Resamples:
    """How often each record was drawn in each resample.

    Attributes:
        counts: (records, resamples) unsigned integers, wide enough for the sum of a resample.
        unit: what was drawn: `record`, or `patient` (all of whose records come along).
        n_groups: number of records or patients that were drawn from.
        seed: the seed, None for given indices.
    """

    counts: Counts
    unit: Literal["record", "patient"]
    n_groups: int
    seed: int | None

    @property
    def n_resamples(self) -> int:
        return int(self.counts.shape[1])


def draw_resamples(
    n_records: int,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
    indices: ArrayLike | None = None,
) -> Resamples:
    """Draw with replacement as many units as there are: records, or patients with all their records.

    The same `n_records`, `groups`, `n_resamples` and `seed` give the same resamples, so that models scored
    one after the other are compared on shared resamples.

    Args:
        groups: (records,) a patient per record; a record without patient (None or NaN) is a unit of its own.
        indices: (resamples, units) given resamples: record positions, or with `groups` positions among the
            sorted unique patients. `n_resamples` and `seed` are then not used.

    Raises:
        PredictionsError: sizes or indices that do not fit.
    """
    group_of_record: NDArray[np.intp] | None = None
    n_groups = n_records
    if groups is not None:
        group_of_record, n_groups = group_index(groups, n_records)
    if indices is None:
        if n_resamples < 1:
            raise PredictionsError(f"n_resamples: expected at least 1, found {n_resamples}", fix="--n-resamples 1000")
        if seed < 0:
            raise PredictionsError(f"seed: expected 0 or more, found {seed}", fix="--seed 0")
        counts = _draw(n_groups, n_resamples, seed)
    else:
        counts = _count(indices, n_groups)
    if group_of_record is not None:
        counts = counts[group_of_record]
        largest = int(counts.sum(axis=0, dtype=np.int64).max())
        counts = counts.astype(_count_type(largest), copy=False)
    return Resamples(counts, "record" if groups is None else "patient", n_groups, seed if indices is None else None)


def known_groups(groups: ArrayLike | None) -> ArrayLike | None:
    """None where no record has a patient id: then records are what is resampled."""
    if groups is None or all(value is None or value != value for value in np.asarray(groups).tolist()):
        return None
    return groups


def group_index(groups: ArrayLike, n_records: int) -> tuple[NDArray[np.intp], int]:
    """(group number per record, number of groups): sorted values first, then the records without one."""
    values = np.asarray(groups)
    if values.shape != (n_records,):
        raise PredictionsError(f"groups: expected one patient per record, shape ({n_records},), found {values.shape}")
    missing = np.array([value is None or value != value for value in values.tolist()], dtype=bool)
    if values.dtype == object:
        values = values.copy()
        values[missing] = ""
        values = values.astype(str)
    index = np.empty(n_records, dtype=np.intp)
    unique, index[~missing] = np.unique(values[~missing], return_inverse=True)
    index[missing] = len(unique) + np.arange(missing.sum())
    return index, len(unique) + int(missing.sum())


def _draw(n: int, n_resamples: int, seed: int) -> Counts:
    rng = np.random.default_rng(seed)
    counts = np.empty((n, n_resamples), dtype=_count_type(n))
    for start in range(0, n_resamples, _BLOCK):
        stop = min(start + _BLOCK, n_resamples)
        counts[:, start:stop] = _histogram(rng.integers(0, n, size=(stop - start, n)), n)
    return counts


def _count(indices: ArrayLike, n: int) -> Counts:
    drawn = np.asarray(indices)
    if drawn.ndim != 2 or drawn.dtype.kind not in "iu" or not len(drawn) or drawn.shape[1] != n:
        raise PredictionsError(
            f"indices: expected integers of shape (resamples, {n}), found {drawn.dtype} of shape {drawn.shape}"
        )
    if drawn.min() < 0 or drawn.max() >= n:
        raise PredictionsError(f"indices: expected 0 to {n - 1}, found {drawn.min()} to {drawn.max()}")
    counts = np.empty((n, len(drawn)), dtype=_count_type(drawn.shape[1]))
    for start in range(0, len(drawn), _BLOCK):
        block = drawn[start : start + _BLOCK].astype(np.int64)
        counts[:, start : start + len(block)] = _histogram(block, n)
    return counts


def _count_type(total: int) -> type[np.unsignedinteger[Any]]:
    """The smallest type that holds the sum of all counts of a resample."""
    return np.uint16 if total <= np.iinfo(np.uint16).max else np.uint32


def _histogram(block: NDArray[np.int64], n: int) -> NDArray[np.intp]:
    """Counts of 0..n-1 per row of `block`, shape (n, rows)."""
    rows = len(block)
    flat = (block + n * np.arange(rows)[:, None]).ravel()
    return np.bincount(flat, minlength=rows * n).reshape(rows, n).T
