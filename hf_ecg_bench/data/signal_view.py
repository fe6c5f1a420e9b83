"""Rows of a dataset's signal column as numpy arrays, without copying and without decoding the other columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from hf_ecg_bench.errors import DataError, unknown_name

if TYPE_CHECKING:
    from datasets import Dataset


class SignalView:
    """The signal column of a `datasets.Dataset`, row by row, as views of its Arrow buffers.

    The Arrow file is memory-mapped, so a row costs the pages that are touched and nothing else. Rows follow the dataset's
    current order (after select, shuffle, filter, concatenate ...). Pickles as the dataset does: by file name, in about a
    kilobyte, for a dataset that is loaded from disk.

    Args:
        dataset: with a column of type `Array2D((None, leads), "float32")`, or nested lists of floats.
        column: its name.

    Raises:
        DataError: no Dataset (a DatasetDict or a stream), no such column, not rows of (time, leads) floats, missing rows.
    """

    def __init__(self, dataset: Dataset, column: str = "signal") -> None:
        self.dataset = dataset
        self.column = column
        self._open()

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, index: int) -> np.ndarray:
        """Row `index`: (time, leads) float32, read-only (a view, unless the column has another float type)."""
        row = index + len(self) if index < 0 else index
        if not 0 <= row < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        return self.crop(row, 0, self._lengths[row])

    def crop(self, row: int, start: int, length: int) -> np.ndarray:
        """Samples start..start+length-1 of a row: (length, leads) float32, read-only. The caller checks the bounds."""
        first = self._offsets[row] + start * self.leads
        flat = self._values[self._chunk[row]][first : first + length * self.leads].reshape(length, self.leads)
        if flat.dtype != np.float32:
            flat = flat.astype(np.float32)
            flat.flags.writeable = False
        return flat

    def lengths(self) -> np.ndarray:
        """(rows,) int64: samples of each row, without reading any."""
        return np.array(self._lengths, dtype=np.int64)

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
        offsets, lengths, chunks, widths, self._values = [], [], [], set(), []
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
        # Python lists: looking up one number in a list is several times faster than in an array.
        self._offsets: list[int] = _joined(offsets)[pick].tolist()
        self._lengths: list[int] = _joined(lengths)[pick].tolist()
        self._chunk: list[int] = _joined(chunks)[pick].tolist()


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _open_chunk(chunk: pa.Array, column: str) -> tuple[np.ndarray, int, np.ndarray]:
    """Bounds of the rows in samples (rows + 1,), number of leads, and all values of the chunk, from its first sample on."""
    rows = chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk
    if not _is_list(rows.type) or not _is_list(rows.type.value_type):
        raise DataError(
            f"column {column!r} has type {rows.type}; expected rows of (time, leads) numbers", fix="name the column with the signals"
        )
    if not pa.types.is_floating(rows.type.value_type.value_type):
        raise DataError(
            f"column {column!r} holds {rows.type.value_type.value_type}; expected float32 in physical units",
            fix="convert counts to mV when the dataset is prepared",
        )
    if rows.null_count:
        missing = int(np.flatnonzero(rows.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(f"column {column!r}: {rows.null_count} rows have no signal, the first is row {missing} of its chunk")
    bounds = _bounds(rows)
    samples = rows.values
    if pa.types.is_fixed_size_list(samples.type):
        first, width = samples.offset * samples.type.list_size, samples.type.list_size
    else:
        # Offsets are 4 bytes a sample, so only three are read; rows of another width in between cannot add up by chance
        # unless they are as many too wide as too narrow.
        starts = samples.offsets
        first = starts[0].as_py()
        total = starts[int(bounds[-1])].as_py() - starts[int(bounds[0])].as_py()
        n_samples = int(bounds[-1] - bounds[0])
        width = starts[int(bounds[0]) + 1].as_py() - starts[int(bounds[0])].as_py() if n_samples else 0
        if total != n_samples * width:
            raise DataError(f"column {column!r}: samples with different numbers of leads; expected the same for all")
    values = samples.values
    if values.null_count:
        raise DataError(f"column {column!r}: null among the samples; expected numbers (NaN where a sample is missing)")
    return bounds, width, values.to_numpy(zero_copy_only=True)[first:]


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _bounds(rows: pa.Array) -> np.ndarray:
    if pa.types.is_fixed_size_list(rows.type):
        return (np.arange(len(rows) + 1) + rows.offset) * rows.type.list_size
    return np.asarray(rows.offsets.to_numpy(), dtype=np.int64)
