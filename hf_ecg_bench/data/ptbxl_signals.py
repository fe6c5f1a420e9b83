"""One PTB-XL record: the 500 Hz WFDB file as (time, 12) millivolts in canonical order."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.wfdb_reader import read_record
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.leads import LEADS, limb_lead_residual, to_canonical

RATE = 500
_CANONICAL = tuple(lead.casefold() for lead in LEADS)
# Rounding leaves a few microvolts, a wrong column some hundred.
# Every twentieth sample (40 ms) decides as well as all.
LIMB_LEAD_TOLERANCE = 0.03
_STRIDE = 20


def read_ptbxl(reference: tuple[str, str], ledger: Ledger) -> np.ndarray:
    """The signal behind `(record id, path without extension)`.

    Raises:
        RecordProblem: unreadable, another rate or unit, or leads that are not the twelve by name.
    """
    record_id, path = reference
    record = read_record(path)
    if record.rate != RATE:
        raise RecordProblem("wrong sampling rate", f"{record.rate:g} Hz, expected {RATE}")
    units = {unit.casefold() for unit in record.units}
    if units != {"mv"}:
        raise RecordProblem("wrong unit", f"{', '.join(sorted(units))}, expected mV")
    signal = record.signal
    names = tuple(name.casefold() for name in record.names)
    if names != _CANONICAL:
        try:
            signal = to_canonical(signal, record.names, where=f"record {record_id}", missing="error")
        except DataError as error:
            raise RecordProblem("unexpected leads", error.message) from error
        ledger.defect(record_id, "leads stored in another order (put in order by name)", " ".join(record.names))
    residual = limb_lead_residual(signal[::_STRIDE])
    if residual > LIMB_LEAD_TOLERANCE:
        ledger.defect(
            record_id,
            "limb leads contradict each other (kept; columns swapped or mislabelled?)",
            f"II - I - III and the augmented leads are off by {residual:.3f} mV (root mean square)",
        )
    return signal
