"""EchoNext's signals: one array per split, z-scored by its authors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.data.formats.npy import NpyRecords, open_npy

RATE = 250
SAMPLES = 2500
# The release has float32; half precision is what some copies are stored in.
_TYPES = ("float32", "float16", "float64")


@dataclass(frozen=True)
class Waveform:
    """Row `row` of the array in the file `path`."""

    path: str
    row: int


def open_waveforms(path: str) -> NpyRecords:
    """(records, 1, 2500, 12).

    Raises:
        RecordProblem: no or a damaged file, another shape or type.
    """
    return open_npy(path, (None, 1, SAMPLES, 12), _TYPES)


def read_waveform(waveform: Waveform) -> np.ndarray:
    """(2500, 12) float32, canonical leads, without a unit.

    Raises:
        RecordProblem: the file is damaged.
    """
    # Einthoven's relations are not checked: leads were scaled one by one.
    return open_waveforms(waveform.path).row(waveform.row)[0].astype(np.float32, copy=False)
