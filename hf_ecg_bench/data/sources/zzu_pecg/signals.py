"""One ZZU pECG record: its WFDB file as (time, 12) millivolts in canonical order."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.formats.wfdb_reader import read_record
from hf_ecg_bench.data.formats.wfdb_rows import canonical_row
from hf_ecg_bench.data.ledger import Ledger

RATE = 500


def read_zzu_pecg(reference: tuple[str, str, int | None], ledger: Ledger) -> np.ndarray:
    """The signal behind `(record id, path without extension, number of samples by the table)`.

    Raises:
        RecordProblem: unreadable, another unit, or leads that are not those of an ECG.
    """
    record_id, path, samples = reference
    record = read_record(path)
    if len(record.signal) != samples:
        ledger.defect(
            record_id,
            "another length than in AttributesDictionary.csv (kept)",
            f"{len(record.signal)} samples, Sampling_point is {samples}",
        )
    return canonical_row(record_id, record, RATE, ledger)
