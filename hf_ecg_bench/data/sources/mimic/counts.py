"""How often each value occurs: exact quantiles of millions of numbers in the space of the distinct ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# Batches are merged when they add up to this many entries.
_MERGE = 1 << 18


@dataclass
class ValueCounts:
    """A multiset of numbers. Measurements are written with few digits, so that few differ among millions."""

    _values: list[np.ndarray] = field(default_factory=list)
    _counts: list[np.ndarray] = field(default_factory=list)
    _pending: int = 0

    def add(self, values: np.ndarray) -> None:
        """Count some more; NaN is not counted."""
        unique, counts = np.unique(values[~np.isnan(values)], return_counts=True)
        self._values.append(unique)
        self._counts.append(counts)
        self._pending += len(unique)
        if len(self._values) > 1 and self._pending > _MERGE + len(self._values[0]):
            self._merge()

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct values, ascending, and how often each occurs."""
        self._merge()
        return self._values[0], self._counts[0]

    @property
    def total(self) -> int:
        """How many numbers were added."""
        return int(sum(int(counts.sum()) for counts in self._counts))

    def _merge(self) -> None:
        values = np.concatenate([np.empty(0), *self._values])
        counts = np.concatenate([np.empty(0, np.int64), *self._counts])
        unique, inverse = np.unique(values, return_inverse=True)
        sums = np.zeros(len(unique), np.int64)
        np.add.at(sums, inverse, counts)
        self._values, self._counts, self._pending = [unique], [sums], 0


def joined(parts: list[ValueCounts], low: float = -np.inf, high: float = np.inf) -> ValueCounts:
    """All numbers of several multisets that lie in [low, high]."""
    whole = ValueCounts()
    for part in parts:
        values, counts = part.arrays()
        inside = (values >= low) & (values <= high)
        whole._values.append(values[inside])
        whole._counts.append(counts[inside])
    return whole


def quantile(counts: ValueCounts, q: float) -> float:
    """The q-th quantile with linear interpolation between neighbours, as `numpy.quantile`; NaN of nothing."""
    values, times = counts.arrays()
    if not len(values):
        return float("nan")
    ends = np.cumsum(times)
    at = (int(ends[-1]) - 1) * q
    below = int(at)
    low = float(values[np.searchsorted(ends, below, "right")])
    high = float(values[np.searchsorted(ends, min(below + 1, int(ends[-1]) - 1), "right")])
    return low + (high - low) * (at - below)
