"""One Chapman record of either layout as (time, 12) millivolts in canonical order."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from hf_ecg_bench.data.formats.csv_signal import read_lead_table
from hf_ecg_bench.data.formats.wfdb_rows import read_row
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.limb_leads import report_limb_leads
from hf_ecg_bench.signals.leads import LEADS

RATE = 500
SAMPLES = 5000
_MV_PER_UV = 0.001
_CANONICAL = tuple(lead.casefold() for lead in LEADS)


class Reference(NamedTuple):
    """What `read_chapman` needs: the path of a CSV file, or of a WFDB record without extension."""

    record_id: str
    path: str
    layout: Literal["figshare", "challenge"]


def read_chapman(reference: Reference, ledger: Ledger) -> np.ndarray:
    """The signal of a record.

    Raises:
        RecordProblem: unreadable, or without all twelve leads.
    """
    record_id, path, layout = reference
    if layout == "challenge":
        return read_row(record_id, path, RATE, ledger, missing="error")
    microvolts, names = read_lead_table(path)
    order = [name.casefold() for name in names if name.casefold() in _CANONICAL]
    if order != list(_CANONICAL):
        ledger.defect(record_id, "leads stored in another order (put in order by name)", " ".join(names))
    if len(microvolts) != SAMPLES:
        ledger.defect(record_id, "another length (kept)", f"{len(microvolts)} samples, expected {SAMPLES}")
    microvolts *= _MV_PER_UV
    signal = microvolts.astype(np.float32)
    report_limb_leads(record_id, signal, ledger)
    return signal
