"""One SPH record: its HDF5 file as (time, 12) millivolts."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.formats.hdf5_chunks import read_transposed
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.limb_leads import report_limb_leads
from hf_ecg_bench.signals.leads import LEADS

RATE = 500
DATASET = "ecg"
_DTYPES = ("float16", "float32")


def read_sph(reference: tuple[str, str, int | None], ledger: Ledger) -> np.ndarray:
    """The signal behind `(record id, file, number of samples by the table)`: leads are stored in canonical order.

    Raises:
        RecordProblem: no or a damaged file, or something else than twelve leads in it.
    """
    record_id, path, samples = reference
    signal = read_transposed(path, DATASET, len(LEADS), _DTYPES)
    if samples is not None and len(signal) != samples:
        ledger.defect(
            record_id, "another length than in metadata.csv (kept)", f"{len(signal)} samples, the table says {samples}"
        )
    report_limb_leads(record_id, signal, ledger)
    return signal
