"""One Challenge record: its WFDB file as (time, 12) millivolts in canonical order at 500 Hz."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.formats.wfdb_rows import read_row
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.sources.challenge.sets import RATE


def read_challenge(reference: tuple[str, str], ledger: Ledger) -> np.ndarray:
    """The signal behind `(record name, path without extension)`; other rates are resampled to 500 Hz.

    Raises:
        RecordProblem: unreadable, a wrong checksum or unit, no lead or one twice.
    """
    name, path = reference
    return read_row(name, path, RATE, ledger)
