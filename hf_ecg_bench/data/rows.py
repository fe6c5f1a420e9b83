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
from hf_ecg_bench.data.features import N_LEADS, SIGNAL, signal_array
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.shards import Shard
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import EcgBenchError

# Rows are handed on in chunks of this size: it bounds the memory and is the length of Parquet row groups.
CHUNK_RECORDS = 100
CHUNK_SAMPLES = 500_000

_NO_SIGNAL = np.empty((0, N_LEADS), np.float32)
ReadSignal = Callable[[Any, Ledger], np.ndarray]


@dataclass
class ShardReport:
    """What became of a shard's records; JSON-ready, and kept with the dataset as the evidence that it is
    finished.
    """

    name: str
    split: str
    fingerprint: str
    records: int = 0
    nbytes: int = 0
    file_size: int = 0
    excluded: dict[str, list[list[str]]] = field(default_factory=dict)
    defects: dict[str, list[list[str]]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class ShardRows:
    """Iterates over a shard's rows as Arrow tables; `report` is complete when the iteration has ended.

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
        self.report = ShardReport(shard.name, shard.split, shard.fingerprint)
        self._read = read
        self._ledger = Ledger(spec.id, strict=strict)

    def __iter__(self) -> Iterator[pa.Table]:
        rows = self.shard.metadata.to_pylist()
        totals: dict[str, int] = {}
        kept: list[int] = []
        chunk: list[int] = []
        signals: list[np.ndarray] = []
        samples = 0
        for position, (row, reference) in enumerate(zip(rows, self.shard.references, strict=True)):
            try:
                signal = self._signal(row["record_id"], reference)
            except RecordProblem as problem:
                self._ledger.exclude(row["record_id"], problem.reason, problem.detail)
                continue
            digest.add(totals, digest.record_digests(row, self._labels(row), self.shard.split, signal))
            kept.append(position)
            chunk.append(position)
            signals.append(signal)
            samples += len(signal)
            if len(chunk) >= CHUNK_RECORDS or samples >= CHUNK_SAMPLES:
                yield self._table(chunk, signals)
                chunk, signals, samples = [], [], 0
        if chunk or not kept:
            yield self._table(chunk, signals)
        self.report.records = len(kept)
        self.report.excluded = self._ledger.excluded
        self.report.defects = self._ledger.defects
        self.report.digests = digest.to_hex(totals)

    def _signal(self, record_id: str, reference: Any) -> np.ndarray:
        if self.shard.metadata_only:
            return _NO_SIGNAL
        signal = self._read(reference, self._ledger)
        self._check(record_id, signal)
        return signal

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

    def _labels(self, row: dict[str, Any]) -> dict[str, Any]:
        labels: dict[str, Any] = {
            column: [names[index] for index in row[column]] for column, names in self.shard.label_names.items()
        }
        own = [item.name for item in self.spec.extra_columns]
        labels |= {name: row[name] for name in ("targets", *own) if name in row}
        return labels

    def _table(self, positions: list[int], signals: list[np.ndarray]) -> pa.Table:
        metadata = self.shard.metadata.take(pa.array(positions, pa.int64()))
        columns: dict[str, Any] = {name: metadata[name] for name in metadata.column_names}
        if not self.shard.metadata_only:
            columns[SIGNAL] = signal_array(signals, self.schema.field(SIGNAL).type)
        table = pa.table([columns[name] for name in self.schema.names], schema=self.schema)
        self.report.nbytes += table.nbytes
        return table
