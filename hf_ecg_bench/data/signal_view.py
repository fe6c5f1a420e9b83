"""Rows of a dataset's signal column as numpy arrays, without copying and without decoding the other
columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from hf_ecg_bench.errors import DataError, unknown_name

if TYPE_CHECKING:
    from datasets import Dataset


class SignalView:
    """The signal column of a `datasets.Dataset`, row by row, as views of its Arrow buffers.

    The Arrow file is memory-mapped, so a row costs the pages that are touched and nothing else. Rows follow
    the dataset's current order (after select, shuffle, filter, concatenate ...). Pickles as the dataset does:
    by file name, in about a kilobyte, for a dataset that is loaded from disk.

    Args:
        dataset: with a column of type `Array2D((None, leads), "float32")`, or nested lists of floats.
        column: its name.

    Raises:
        DataError: no Dataset (a DatasetDict or a stream), no such column, not rows of (time, leads) floats,
            missing rows.
    """

    def __init__(self, dataset: Dataset, column: str = "signal") -> None:
        self.dataset = dataset
        self.column = column
        self._open()

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, index: int) -> np.ndarray:
        """Row `index`: (time, leads) float32, read-only (a view, unless the column has another float
        type)."""
        row = index + len(self) if index < 0 else index
        if not 0 <= row < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        return next(self.crops(np.array([row]), np.zeros(1, dtype=np.int64), int(self._lengths[row])))

    def crops(self, rows: np.ndarray, starts: np.ndarray, length: int) -> Iterator[np.ndarray]:
        """Samples start..start+length-1 of each row: (length, leads) float32, read-only.

        Args:
            rows, starts: (n,) int64. The caller checks the bounds.
        """
        firsts = (self._offsets[rows] + starts * self.leads).tolist()
        chunks = self._chunk[rows].tolist()
        size, shape = length * self.leads, (length, self.leads)
        for first, chunk in zip(firsts, chunks, strict=True):
            crop = self._values[chunk][first : first + size].reshape(shape)
            if crop.dtype != np.float32:
                crop = crop.astype(np.float32)
                crop.flags.writeable = False
            yield crop

    def lengths(self) -> np.ndarray:
        """(rows,) int64, read-only: samples of each row, without reading any."""
        return self._lengths

    def __getstate__(self) -> dict[str, Any]:
        return {"dataset": self.dataset, "column": self.column}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def _open(self) -> None:
        names = getattr(self.dataset, "column_names", None)
        if not isinstance(names, list) or not hasattr(self.dataset, "data"):
            raise DataError(
                f"{type(self.dataset).__name__} has no rows to look up; expected a datasets.Dataset",
                fix='choose one split, loaded without streaming: load_dataset(..., split="train")',
            )
        if self.column not in names:
            raise DataError(unknown_name("column", self.column, names).message, fix="name the column with the signals")
        offsets: list[np.ndarray] = []
        lengths: list[np.ndarray] = []
        chunks: list[np.ndarray] = []
        widths: set[int] = set()
        self._values: list[np.ndarray] = []
        for chunk in self.dataset.data.column(self.column).chunks:
            if not len(chunk):
                continue
            bounds, width, values = _open_chunk(chunk, self.column)
            chunks.append(np.full(len(chunk), len(self._values)))
            offsets.append(bounds[:-1] * width)
            lengths.append(np.diff(bounds))
            widths.add(width)
            self._values.append(values)
        if len(widths) > 1:
            raise DataError(f"column {self.column!r}: rows with different numbers of leads: {sorted(widths)}")
        self.leads = widths.pop() if widths else 0
        order = self.dataset._indices  # the one private name: the lazy order after select, shuffle or filter
        pick = slice(None) if order is None else order.column(0).to_numpy()
        self._offsets = _joined(offsets)[pick]
        self._lengths = _joined(lengths)[pick]
        self._lengths.flags.writeable = False
        self._chunk = _joined(chunks)[pick]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _open_chunk(chunk: pa.Array, column: str) -> tuple[np.ndarray, int, np.ndarray]:
    """Row bounds in samples (rows + 1,), from 0; number of leads; values from the first row on."""
    rows = chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk
    _check_type(rows.type, column)
    if rows.null_count:
        missing = int(np.flatnonzero(rows.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(
            f"column {column!r}: {rows.null_count} rows have no signal, first row {missing} of its chunk",
            fix="leave them out: dataset.filter(lambda signal: signal is not None, input_columns=...)",
        )
    bounds = _bounds(rows)
    begin, end = int(bounds[0]), int(bounds[-1])
    samples = rows.values
    if pa.types.is_fixed_size_list(samples.type):
        width = samples.type.list_size
        first = (samples.offset + begin) * width
    else:
        # Three offsets of millions are read: rows of another width in between show in the total.
        first, second, last = (samples.offsets[i].as_py() for i in (begin, min(begin + 1, end), end))
        width = second - first
        if last - first != (end - begin) * width:
            raise DataError(f"column {column!r}: samples with different numbers of leads; expected the same for all")
    values = samples.values
    if values.null_count:
        raise DataError(f"column {column!r}: null among the samples; expected numbers (NaN where one is missing)")
    return bounds - begin, width, values.to_numpy(zero_copy_only=True)[first:]


def _check_type(kind: pa.DataType, column: str) -> None:
    if not _is_list(kind) or not _is_list(kind.value_type):
        raise DataError(
            f"column {column!r} has type {kind}; expected rows of (time, leads) numbers",
            fix="name the column with the signals",
        )
    if not pa.types.is_floating(kind.value_type.value_type):
        raise DataError(
            f"column {column!r} holds {kind.value_type.value_type}; expected float32 in physical units",
            fix="convert counts to mV when the dataset is prepared",
        )


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _bounds(rows: pa.Array) -> np.ndarray:
    if pa.types.is_fixed_size_list(rows.type):
        return (np.arange(len(rows) + 1) + rows.offset) * rows.type.list_size
    return np.asarray(rows.offsets.to_numpy(), dtype=np.int64)
