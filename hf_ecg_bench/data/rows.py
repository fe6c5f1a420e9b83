"""From a shard's records to Arrow tables: signals read, checked, digested; bad records named instead of
written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data import digest
from hf_ecg_bench.data.features import N_LEADS, SIGNAL, TARGETS, signal_array, target_array
from hf_ecg_bench.data.fingerprints import FingerprintRows
from hf_ecg_bench.data.ledger import Ledger, Names, RecordProblem
from hf_ecg_bench.data.shards import Shard
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import EcgBenchError

# Rows are handed on in chunks of this size: it bounds the memory and is the length of Parquet row groups.
CHUNK_RECORDS = 50
CHUNK_SAMPLES = 250_000

ReadSignal = Callable[[Any, Ledger], np.ndarray]


@dataclass
class ShardReport:
    """What became of a shard's records; JSON-ready, and kept with the dataset as the evidence that it is
    finished.

    `inputs` is the shard's; names and counts are those of a Ledger; sizes are in bytes, of the rows in memory, of the
    Parquet file and of the file of fingerprints.
    """

    name: str
    split: str
    inputs: str
    records: int = 0
    nbytes: int = 0
    file_size: int = 0
    fingerprints_size: int = 0
    excluded: Names = field(default_factory=dict)
    defects: Names = field(default_factory=dict)
    excluded_counts: dict[str, int] = field(default_factory=dict)
    defect_counts: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class ShardRows:
    """Iterates over a shard's rows as Arrow tables; `report` and `fingerprints` are complete when that has ended.

    Args:
        shard: the records to make rows of.
        read: `read(reference, ledger)` -> (time, 12) float32 in the dataset's unit; raises RecordProblem.
        spec: what every signal is checked against.
        strict: stop at the first bad record.
    """

    def __init__(self, shard: Shard, read: ReadSignal, spec: DatasetSpec, *, strict: bool) -> None:
        self.shard = shard
        self.spec = spec
        self.schema = shard.schema
        self.report = ShardReport(shard.name, shard.split, shard.inputs)
        self.fingerprints = FingerprintRows()
        self._read = read
        self._ledger = Ledger(spec.id, strict=strict)

    def __iter__(self) -> Iterator[pa.Table]:
        rows = self.shard.metadata.to_pylist()
        targets = None if self.shard.target_rows is None else self.shard.target_rows.read()
        totals: dict[str, int] = {}
        chunk: list[int] = []
        signals: list[np.ndarray] = []
        samples = 0
        for position, (row, reference) in enumerate(zip(rows, self.shard.references, strict=True)):
            signal = None
            if not self.shard.metadata_only:
                try:
                    signal = self._read(reference, self._ledger)
                    self._check(row["record_id"], signal)
                except RecordProblem as problem:
                    self._ledger.exclude(row["record_id"], problem.reason, problem.detail)
                    continue
                signals.append(signal)
                samples += len(signal)
            hashes = digest.record_hashes(
                row,
                self.shard.split,
                label_texts(row, self.shard.label_names),
                targets=None if targets is None else targets[position],
                extra={item.name: row[item.name] for item in self.spec.extra_columns},
                signal=signal,
            )
            digest.add(totals, hashes)
            self.fingerprints.add(row, self.shard.split, hashes, signal)
            self.report.records += 1
            chunk.append(position)
            if len(chunk) >= CHUNK_RECORDS or samples >= CHUNK_SAMPLES:
                table = self._table(chunk, signals, targets)
                # Given up before the consumer writes the table: a chunk is 24 MB.
                chunk, signals, samples = [], [], 0
                yield table
                del table
        if chunk or not self.report.records:
            yield self._table(chunk, signals, targets)
        self.report.excluded, self.report.excluded_counts = self._ledger.excluded, dict(self._ledger.excluded_counts)
        self.report.defects, self.report.defect_counts = self._ledger.defects, dict(self._ledger.defect_counts)
        self.report.digests = digest.to_hex(totals)

    def _check(self, record_id: str, signal: np.ndarray) -> None:
        if signal.dtype != np.float32 or signal.ndim != 2 or signal.shape[1] != N_LEADS:
            # A fault of the builder, not of the data: Arrow would store it and fail only when it is read.
            raise EcgBenchError(
                f"{self.spec.id} record {record_id}: the builder returned {signal.dtype} {signal.shape}, "
                f"expected float32 (time, {N_LEADS})"
            )
        if self.spec.seconds is not None:
            expected = round(self.spec.seconds * self.spec.sampling_rate)
            if len(signal) != expected:
                raise RecordProblem("wrong length", f"{len(signal)} samples, expected {expected}")
        elif not len(signal):
            raise RecordProblem("wrong length", "no samples")
        # The sum is NaN or infinite if any sample is, and needs one pass without a temporary array.
        if not math.isfinite(float(signal.sum())):
            missing = int(np.count_nonzero(~np.isfinite(signal)))
            detail = f"{missing} of {signal.size} samples are missing"
            if self.spec.nan_samples == "drop" or missing == signal.size:
                raise RecordProblem("missing samples", detail)
            if missing:
                self._ledger.defect(record_id, "missing samples (kept; they count as 0 for a model)", detail)

    def _table(self, positions: list[int], signals: list[np.ndarray], targets: np.ndarray | None) -> pa.Table:
        metadata = self.shard.metadata.take(pa.array(positions, pa.int64()))
        columns: dict[str, Any] = {name: metadata[name] for name in metadata.column_names}
        if not self.shard.metadata_only:
            columns[SIGNAL] = signal_array(signals, self.schema.field(SIGNAL).type)
        if targets is not None:
            columns[TARGETS] = target_array(targets[positions], self.schema.field(TARGETS).type)
        table = pa.table([columns[name] for name in self.schema.names], schema=self.schema)
        self.report.nbytes += table.nbytes
        return table


def label_texts(row: dict[str, Any], label_names: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Label column -> the names of a row's class indices."""
    return {column: [names[index] for index in row[column]] for column, names in label_names.items()}
