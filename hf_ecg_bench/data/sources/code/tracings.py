"""Signals of CODE-15% and CODE-test: rows of an HDF5 dataset, zero-padded to 4096 samples, the padding cut off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.formats.hdf5 import Hdf5Dataset, open_dataset
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.limb_leads import report_limb_leads

RATE = 400
TRACINGS = "tracings"
# Every record of the releases has 4096 samples; nothing here depends on it.
SHAPE = (None, None, 12)
TYPES = ("float32",)
EMPTY = "empty tracing"


@dataclass(frozen=True)
class Tracing:
    """Where a signal is.

    Attributes:
        record_id: for messages.
        path: of the HDF5 file.
        row: in its dataset `tracings`.
        order: stored columns of the canonical leads, if these are stored in another order.
    """

    record_id: str
    path: str
    row: int
    order: tuple[int, ...] | None = None


def open_tracings(path: str | Path) -> Hdf5Dataset:
    """The dataset `tracings`, (records, samples, 12) float32; to be closed.

    Raises:
        RecordProblem: no or a damaged file, no such dataset, another shape or type.
    """
    data = Hdf5Dataset(path, TRACINGS)
    try:
        return data.check(SHAPE, TYPES)
    except RecordProblem:
        data.close()
        raise


def read_tracing(tracing: Tracing, protocol: str, ledger: Ledger) -> np.ndarray:
    """(time, 12) float32 in mV, canonical leads, without padding.

    Args:
        protocol: see `signal_bounds`.

    Raises:
        RecordProblem: the file is damaged, or only zeros are left.
    """
    stored = open_dataset(tracing.path, TRACINGS, SHAPE, TYPES).row(tracing.row)
    start, stop = signal_bounds(stored, protocol)
    if start >= stop:
        raise RecordProblem(EMPTY, f"all {len(stored)} samples are zero")
    signal = stored[start:stop]
    if tracing.order is not None:
        signal = np.ascontiguousarray(signal[:, tracing.order])
    report_limb_leads(tracing.record_id, signal, ledger)
    return signal


def signal_bounds(stored: np.ndarray, protocol: str) -> tuple[int, int]:
    """First sample and end of the signal in a padded record.

    `corrected`: what lies between the leading and the trailing zeros (of all leads at once). `published`: as many
    samples as are zero ANYWHERE are cut off, half of them at each end. That is the same where both ends have equally
    many zeros, but cuts off signal where a record is padded at one end or flat in the middle.
    """
    n = len(stored)
    if protocol == "published":
        cut = (n - int(np.count_nonzero(stored.any(axis=1)))) // 2
        return cut, n - cut
    return _first(stored), n - _first(stored[::-1])


def is_empty(data: Hdf5Dataset, row: int) -> bool:
    """Whether a record is all zero. One sample in the middle answers for nearly all records, without reading them."""
    middle = data.shape[1] // 2
    return not data.row(row, middle, middle + 1).any() and not data.row(row).any()


def _first(samples: np.ndarray) -> int:
    """Number of leading samples that are zero in all leads; looks no further than it must."""
    step = 256
    for start in range(0, len(samples), step):
        signal = samples[start : start + step].any(axis=1)
        if signal.any():
            return start + int(signal.argmax())
    return len(samples)
