"""The matrix of targets, kept as what it is made of: few codes per ECG, and some fifty columns of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class TargetMatrix:
    """(ECGs, targets) float32 with NaN for missing, dense only where rows are asked for.

    Whole, the matrix of the complete release takes 520 MB; this takes 30. It behaves as a read-only array: `shape`,
    `len`, and rows by number, list of numbers or slice.

    Args:
        labels: for each ECG the positions of its codes, ascending.
        n_codes: number of code columns, which come first.
        columns: the other columns, (ECGs,) each.
    """

    def __init__(self, labels: Sequence[np.ndarray], n_codes: int, columns: Sequence[np.ndarray]) -> None:
        self._lengths = np.array([len(own) for own in labels], np.int64)
        self._codes = np.concatenate([np.empty(0, np.int16), *labels]).astype(np.int16)
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._n_codes = n_codes
        self._columns = np.stack([np.asarray(column, np.float32) for column in columns], axis=1)
        self._rows = np.arange(len(labels))

    @property
    def shape(self) -> tuple[int, int]:
        """ECGs, targets."""
        return len(self._rows), self._n_codes + self._columns.shape[1]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, slice):
            part = object.__new__(TargetMatrix)
            part.__dict__.update(self.__dict__)
            part._rows = self._rows[rows]
            return part
        chosen = np.asarray(rows)
        dense = self._dense(self._rows[np.atleast_1d(chosen)])
        return dense if chosen.ndim else dense[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._dense(self._rows), dtype)

    def _dense(self, rows: np.ndarray) -> np.ndarray:
        dense = np.zeros((len(rows), self.shape[1]), np.float32)
        dense[:, self._n_codes :] = self._columns[rows]
        lengths = self._lengths[rows]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        codes = self._codes[np.repeat(self._starts[rows], lengths) + within]
        dense[np.repeat(np.arange(len(rows)), lengths), codes] = 1
        return dense
