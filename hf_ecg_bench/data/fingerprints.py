"""Fingerprints: a few bytes per record from which builds are compared and repeated recordings are found.

A dataset keeps them in `fingerprints/<shard>.parquet`, in the order of the rows:

- `record_id`, `split`;
- one 16-byte hash per part of the record (`digest.PARTS`), null for a part that the dataset does not have;
- `sampling_rate` and `samples` of the signal;
- `rounded`: 16-byte hash of the signal rounded to thousandths of its unit (1 uV), null for a constant signal;
- `points`: 32 samples at fixed places, null where they say too little.

Copies of a recording in other releases often differ by rounding: PTB has steps of 0.5 uV, its copy in the
PhysioNet/CinC Challenge steps of 1 uV, and half of all samples differ by 0.5 uV. No hash of rounded values survives
that, whatever the step: a value on the border is rounded up in one release and down in the other. `points` does: two
recordings that agree in all 32 of them within 1 uV are candidates, and comparing the signals decides.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from hf_ecg_bench.data.digest import PARTS
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.files import atomic_path

HASH_BYTES = 16
N_POINTS = 32
# Steps per unit in which `rounded` counts.
STEPS = np.float32(1000)
# The largest difference of a sample between copies of a recording, in steps; float32 adds a little to 1.
CLOSE = 1.01
# Fewer different values (flat or missing leads) would make unlike recordings look alike.
_MIN_DIFFERENT = 6

# The leads that are independent of each other, in turn.
_INDEPENDENT = [0, 1, 6, 7, 8, 9, 10, 11]
_LEADS = np.resize(_INDEPENDENT, N_POINTS)
_PLACES = 2 * np.arange(N_POINTS) + 1

_thread = threading.local()

SCHEMA = pa.schema(
    [
        ("record_id", pa.string()),
        ("split", pa.string()),
        *((part, pa.binary(HASH_BYTES)) for part in PARTS),
        ("sampling_rate", pa.int32()),
        ("samples", pa.int32()),
        ("rounded", pa.binary(HASH_BYTES)),
        ("points", pa.list_(pa.float32(), N_POINTS)),
    ]
)


class FingerprintRows:
    """Collects the fingerprints of a shard."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def add(self, row: Mapping[str, Any], split: str, hashes: Mapping[str, bytes], signal: np.ndarray | None) -> None:
        """Add one record.

        Args:
            row: its metadata columns.
            hashes: of `digest.record_hashes`.
            signal: (time, 12) float32, or None for rows without one.
        """
        self._rows.append(
            {
                "record_id": row["record_id"],
                "split": split,
                **{part: value[:HASH_BYTES] for part, value in hashes.items()},
                "sampling_rate": row["sampling_rate"],
                **({} if signal is None else signal_fingerprint(signal)),
            }
        )

    def table(self) -> pa.Table:
        """All rows so far, with the columns of SCHEMA."""
        return pa.Table.from_pylist(self._rows, schema=SCHEMA)


def signal_fingerprint(signal: np.ndarray) -> dict[str, Any]:
    """The columns `samples`, `rounded` and `points` of a signal of shape (time, 12).

    A signal in which every lead is constant has neither hash nor points: nothing in it says which recording it is.
    """
    points = signal[_PLACES * len(signal) // (2 * N_POINTS), _LEADS]
    if not np.isfinite(points).all():
        points = np.nan_to_num(points, posinf=0.0, neginf=0.0)
    by_lead = points.reshape(-1, len(_INDEPENDENT))
    if (by_lead == by_lead[0]).all() and (signal == signal[:1]).all():
        return {"samples": len(signal), "rounded": None, "points": None}
    telling = len(set(np.rint(points * STEPS).tolist())) >= _MIN_DIFFERENT
    return {"samples": len(signal), "rounded": _rounded_hash(signal), "points": points if telling else None}


def _rounded_hash(signal: np.ndarray) -> bytes:
    rounded = _scratch(signal.shape)
    with np.errstate(over="ignore", invalid="ignore"):  # of values that no ECG has
        np.multiply(signal, STEPS, out=rounded)
    np.rint(rounded, out=rounded)
    rounded += np.float32(0)  # -0.0 becomes 0.0
    if math.isnan(rounded.max()):
        rounded[np.isnan(rounded)] = np.nan  # one bit pattern for all
    return xxhash.xxh3_128_digest(np.ascontiguousarray(rounded, "<f4").data)


def _scratch(shape: tuple[int, ...]) -> np.ndarray:
    """An array of the thread's own, used again: a new one costs more than what is computed in it."""
    size = math.prod(shape)
    buffer = getattr(_thread, "buffer", None)
    if buffer is None or len(buffer) < size:
        buffer = _thread.buffer = np.empty(size, np.float32)
    return buffer[:size].reshape(shape)


def same_but_for_rounding(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two signals of shape (time, 12) differ by at most 1 uV (and NaN only from NaN)."""
    if a.shape != b.shape:
        return False
    close = np.abs(a.astype(np.float64) - b) * float(STEPS) <= CLOSE
    return bool((close | (np.isnan(a) & np.isnan(b))).all())


def write_fingerprints(path: Path, table: pa.Table) -> Path:
    """Write a shard's fingerprints atomically; returns the path."""
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="lz4", write_statistics=False)
    return path


def read_fingerprints(path: Path, columns: list[str] | None = None) -> pa.Table:
    """A shard's fingerprints, or some columns of them.

    Raises:
        DataError: absent, damaged, or not such a file.
    """
    fix = "remove the file and start the same prepare again"
    try:
        table = pq.read_table(path, columns=columns, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {error}", fix=fix) from error
    if not table.schema.equals(SCHEMA if columns is None else pa.schema([SCHEMA.field(name) for name in columns])):
        raise DataError(f"{path} does not hold fingerprints", fix=fix)
    return table
