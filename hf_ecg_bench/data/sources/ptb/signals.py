"""One PTB record: the conventional leads of the 1000 Hz WFDB files as (time, 12) millivolts in canonical order."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.formats.wfdb_rows import read_row
from hf_ecg_bench.data.ledger import Ledger

RATE = 1000


def read_ptb(reference: tuple[str, str], ledger: Ledger) -> np.ndarray:
    """The signal behind `(record id, path without extension)`; Frank's leads and their file are not read.

    Raises:
        RecordProblem: unreadable, another unit, or none of the twelve leads.
    """
    record_id, path = reference
    return read_row(record_id, path, RATE, ledger)
