"""One PTB-XL record: the 500 Hz WFDB file as (time, 12) millivolts in canonical order."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.formats.wfdb_rows import read_row
from hf_ecg_bench.data.ledger import Ledger

RATE = 500


def read_ptbxl(reference: tuple[str, str], ledger: Ledger) -> np.ndarray:
    """The signal behind `(record id, path without extension)`.

    Raises:
        RecordProblem: unreadable, another rate or unit, or leads that are not the twelve by name.
    """
    record_id, path = reference
    return read_row(record_id, path, RATE, ledger, missing="error", other_rate="error")
