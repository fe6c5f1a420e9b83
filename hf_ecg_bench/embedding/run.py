"""From recordings to a Parquet file of embeddings, in batches over all records, with memory that stays flat."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hf_ecg_bench import __version__
from hf_ecg_bench.embedding.embedder import Embedder
from hf_ecg_bench.embedding.inputs import Recording, Recordings
from hf_ecg_bench.errors import DataError, EcgBenchError
from hf_ecg_bench.files import atomic_path
from hf_ecg_bench.progress import progress
from hf_ecg_bench.threads import numpy_on_one_thread

METADATA_KEY = b"hf_ecg_bench"
_ROW_GROUP = 1000


@dataclass
class EmbeddingReport:
    """What was embedded.

    Attributes:
        records, windows: how many.
        failures: (file, why) of the records that could not be.
        output: the file.
        facts: what identifies the embeddings (model, digest, preprocessing, rate, window, pooling).
    """

    output: str
    facts: dict[str, Any]
    records: int = 0
    windows: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


def embed_records(
    embedder: Embedder, inputs: Sequence[Recordings], output: str | os.PathLike[str], *, per_window: bool = False
) -> EmbeddingReport:
    """Write one row per record (the mean over its windows), or per window.

    Columns: `record_id`, `file`, `split` (of a prepared dataset), `n_windows` of the record, with `per_window` also
    `window` (its number) and `start_seconds`, and `embedding` list<float32>. The file's metadata hold the facts.
    A record that cannot be embedded is reported, and the others go on.

    Raises:
        DataError: no record could be embedded; nothing is written.
        EcgBenchError: the file cannot be written.
    """
    facts = {**embedder.facts(), "rows": "windows" if per_window else "records", "package": __version__}
    report = EmbeddingReport(os.fspath(output), facts)
    schema = _schema(facts, per_window)
    total = sum(part.number for part in inputs)
    with atomic_path(Path(output)) as temporary, pq.ParquetWriter(temporary, schema) as writer, numpy_on_one_thread():
        rows: list[dict[str, Any]] = []
        bar = progress(chain.from_iterable(part.each for part in inputs), total=total, desc="embedding", unit="record")
        for recording, features in _features(embedder, bar, report):
            rows += _rows(recording, features, facts["window_seconds"], per_window)
            report.records += 1
            report.windows += len(features)
            if len(rows) >= _ROW_GROUP:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows.clear()
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        if not report.records:
            first = f"; first: {report.failures[0][1]}" if report.failures else ""
            raise DataError(f"none of {total} records could be embedded{first}", fix="check what --input names")
    return report


def _features(
    embedder: Embedder, recordings: Iterator[Recording], report: EmbeddingReport
) -> Iterator[tuple[Recording, np.ndarray]]:
    """Each readable recording with the features of its windows, in order; windows are batched over records."""
    waiting: list[tuple[Recording, np.ndarray]] = []
    for recording in recordings:
        try:
            signal, rate, unit = recording.read()
            windows = embedder.windows(signal, rate, unit=unit, where=recording.file, check_leads=False)
        except EcgBenchError as error:
            report.failures.append((recording.file, error.message))
            continue
        waiting.append((recording, windows))
        if sum(len(windows) for _, windows in waiting) >= embedder.batch_size:
            yield from _finish(embedder, waiting)
            waiting.clear()
    yield from _finish(embedder, waiting)


def _finish(embedder: Embedder, waiting: list[tuple[Recording, np.ndarray]]) -> Iterator[tuple[Recording, np.ndarray]]:
    if not waiting:
        return
    features = embedder.features(np.concatenate([windows for _, windows in waiting]))
    ends = np.cumsum([len(windows) for _, windows in waiting])
    for (recording, _), part in zip(waiting, np.split(features, ends[:-1]), strict=True):
        yield recording, part


def _rows(recording: Recording, features: np.ndarray, seconds: float, per_window: bool) -> list[dict[str, Any]]:
    common = {
        "record_id": recording.record_id,
        "file": recording.file,
        "split": recording.split,
        "n_windows": len(features),
    }
    if not per_window:
        return [{**common, "embedding": features.mean(axis=0)}]
    return [
        {**common, "window": number, "start_seconds": number * seconds, "embedding": vector}
        for number, vector in enumerate(features)
    ]


def _schema(facts: dict[str, Any], per_window: bool) -> pa.Schema:
    position = [("window", pa.int32()), ("start_seconds", pa.float32())] if per_window else []
    columns = [
        ("record_id", pa.string()),
        ("file", pa.string()),
        ("split", pa.string()),
        ("n_windows", pa.int32()),
        *position,
        ("embedding", pa.list_(pa.float32())),
    ]
    return pa.schema(columns, metadata={METADATA_KEY: json.dumps(facts)})
