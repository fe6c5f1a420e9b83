"""A prepared folder read back row by row, for checking and comparing it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hf_ecg_bench.data.features import SIGNAL, TARGETS, row_features, signals_of
from hf_ecg_bench.data.fingerprints import read_fingerprints
from hf_ecg_bench.data.load import read_info
from hf_ecg_bench.errors import DataError, first_line
from hf_ecg_bench.names import FINGERPRINTS_FOLDER, INFO_FILE

MENDED_BY = "remove the files that are named, and start the same prepare again: it writes them anew"
_STANDARD = frozenset(row_features({}, n_targets=1))


@dataclass(frozen=True)
class PreparedFolder:
    """A complete output folder of `prepare`.

    Attributes:
        path: the folder.
        info: the content of its ecg_bench.json.
    """

    path: Path
    info: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> PreparedFolder:
        """Read ecg_bench.json.

        Raises:
            DataError: not a prepared dataset, an unfinished one, or one of a version without a list of its shards.
        """
        if not path.is_dir():
            raise DataError(f"no folder {path}", fix="give the output folder of hf-ecg-bench prepare")
        info = read_info(path / INFO_FILE)
        if not info.get("shards") or "inputs" not in info["shards"][0]:
            raise DataError(
                f"{path} does not say which shards it has: it was prepared by an older version",
                fix="start the same prepare again",
            )
        return cls(path, info)

    @property
    def name(self) -> str:
        """The dataset's id."""
        return str(self.info["dataset"])

    @property
    def has_signals(self) -> bool:
        """Whether the rows have a signal."""
        return not self.info["metadata_only"]

    @property
    def shards(self) -> list[dict[str, Any]]:
        """The shards' reports, in the order of the rows."""
        return list(self.info["shards"])

    @property
    def label_names(self) -> dict[str, list[str]]:
        """Label column -> class names."""
        return dict(self.info["label_columns"])

    @property
    def target_names(self) -> list[str]:
        """Names of the `targets` column's entries."""
        return [target["name"] for target in self.info["targets"]]

    def data_file(self, shard: str) -> Path:
        """A shard's rows."""
        return self.path / "data" / f"{shard}.parquet"

    def fingerprints(self, shard: str, columns: list[str] | None = None) -> pa.Table:
        """A shard's fingerprints as they were kept."""
        return read_fingerprints(self.path / FINGERPRINTS_FOLDER / f"{shard}.parquet", columns)

    def row(self, number: int) -> Row:
        """One row, counted over all splits.

        Raises:
            DataError: its file is missing or damaged.
        """
        starts = self._starts
        shard = bisect_right(starts, number) - 1
        report = self.shards[shard]
        path = self.data_file(report["name"])
        try:
            return _row(str(path), report["split"], number - starts[shard])
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path} cannot be read: {first_line(error)}", fix=MENDED_BY) from error

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(report["records"] for report in self.shards)]


@dataclass(frozen=True)
class Row:
    """One row as Python values.

    Attributes:
        split: the split it is in.
        metadata: all columns but the signal and the targets; labels as class indices.
        targets: (targets,) float32, or None.
        signal: (time, 12) float32, or None.
    """

    split: str
    metadata: dict[str, Any]
    targets: np.ndarray | None
    signal: np.ndarray | None


def rows_of(table: pa.Table, split: str) -> Iterator[Row]:
    """The rows of a table that was read from a shard."""
    names = [name for name in table.column_names if name not in (SIGNAL, TARGETS)]
    signals = signals_of(table[SIGNAL]) if SIGNAL in table.column_names else None
    targets = targets_of(table)
    for number, metadata in enumerate(table.select(names).to_pylist()):
        yield Row(
            split,
            metadata,
            None if targets is None else targets[number],
            None if signals is None else signals[number],
        )


def targets_of(table: pa.Table) -> np.ndarray | None:
    """(rows, targets) float32, or None where there is no such column."""
    if TARGETS not in table.column_names:
        return None
    column = table[TARGETS].combine_chunks()
    return np.asarray(column.flatten()).reshape(len(column), column.type.list_size)


def extra_columns(table: pa.Table, label_names: dict[str, list[str]]) -> list[str]:
    """The columns that only this dataset has."""
    return [name for name in table.column_names if name not in _STANDARD and name not in label_names]


def _row(path: str, split: str, number: int) -> Row:
    with pq.ParquetFile(path) as file:
        groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    starts = [0, *accumulate(groups)]
    group = bisect_right(starts, number) - 1
    return next(rows_of(_row_group(path, group).slice(number - starts[group], 1), split))


@lru_cache(maxsize=4)
def _row_group(path: str, group: int) -> pa.Table:
    # Neighbouring rows are asked for one after the other, in one or two folders at a time.
    with pq.ParquetFile(path) as file:
        return file.read_row_group(group)
