"""Sums over the records of many resamples at once: matrix products of counts and values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation.resampling import Counts

# Records treated at a time: products of counts below 2**24 / 4096 are exact in float32.
_ROWS = 4096


def weighted_sums(
    counts: Counts, values_of: Callable[[slice], Sequence[NDArray[Any]]]
) -> tuple[NDArray[np.float64], ...]:
    """Sum of values times counts, for several arrays of values: (resamples, columns) each.

    Args:
        counts: (records, resamples) how often each record was drawn.
        values_of: the arrays (rows, columns) of a slice of the records. Booleans are summed in float32, in which sums
            of so few of them are exact; everything else in float64.
    """
    totals: list[NDArray[np.float64]] = []
    exact = int(counts.max(initial=0)) * _ROWS < 2**24
    for start in range(0, len(counts), _ROWS):
        rows = slice(start, start + _ROWS)
        drawn: dict[type, NDArray[Any]] = {}
        for k, values in enumerate(values_of(rows)):
            number = np.float32 if values.dtype == np.bool_ and exact else np.float64
            if number not in drawn:
                drawn[number] = counts[rows].T.astype(number)
            part = drawn[number] @ values.astype(number, copy=False)
            if len(totals) == k:
                totals.append(part.astype(np.float64))
            else:
                totals[k] += part
    return tuple(totals)
