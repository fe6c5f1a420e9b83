"""Rows of a table of targets that may be too large for memory, read when they are needed."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class TargetArray(Protocol):
    """What a table of targets has to offer: a plain array, or something that makes its rows when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any: ...


@dataclass(frozen=True)
class TargetRows:
    """Some rows of a (records, targets) float32 array that lies in memory or in a file.

    Pickles as the rows themselves where the array is in memory, as a path and row numbers where it is in a file.
    """

    source: TargetArray | FileArray
    rows: np.ndarray

    @classmethod
    def of(cls, array: TargetArray, rows: np.ndarray) -> TargetRows:
        """Rows of `array`; a memory-mapped one is only remembered by its file."""
        file = _file_array(array) if isinstance(array, np.ndarray) else None
        return cls(file or array, rows)

    def read(self) -> np.ndarray:
        """(rows, targets) float32, a copy."""
        if isinstance(self.source, FileArray):
            return self.source.take(self.rows)
        return np.asarray(self.source[self.rows], np.float32)

    def __len__(self) -> int:
        return len(self.rows)

    def __getstate__(self) -> dict[str, Any]:
        if isinstance(self.source, FileArray):
            return {"source": self.source, "rows": self.rows}
        return {"source": self.read(), "rows": np.arange(len(self.rows))}


@dataclass(frozen=True)
class FileArray:
    """A C-contiguous two-dimensional array inside a file."""

    path: str
    offset: int
    shape: tuple[int, int]
    dtype: str

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Copies of some rows, as float32. The file is mapped for this moment only: mapped pages count as memory."""
        mapped = np.memmap(self.path, self.dtype, "r", self.offset, self.shape)
        return np.asarray(mapped[rows], np.float32)


def _file_array(array: np.ndarray) -> FileArray | None:
    """Where a memory-mapped array (or a contiguous run of its rows) lies in its file; None for any other array."""
    root: Any = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    if not (isinstance(root, np.memmap) and isinstance(root.base, mmap.mmap) and array.flags.c_contiguous):
        return None
    if root.filename is None:
        return None
    root.flush()
    offset = root.offset + array.ctypes.data - root.ctypes.data
    return FileArray(os.fspath(root.filename), offset, (array.shape[0], array.shape[1]), array.dtype.str)
