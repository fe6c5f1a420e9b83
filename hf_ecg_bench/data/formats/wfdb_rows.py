"""A WFDB record as a row's signal: millivolts, canonical leads, the dataset's rate."""

from __future__ import annotations

from typing import Literal

import numpy as np

from hf_ecg_bench.data.formats.wfdb_reader import WfdbRecord, read_record
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.limb_leads import report_limb_leads
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.leads import LEADS, to_canonical
from hf_ecg_bench.signals.resampling import resample

_CANONICAL = tuple(lead.casefold() for lead in LEADS)


def read_row(
    record_id: str,
    path: str,
    rate: int,
    ledger: Ledger,
    *,
    missing: Literal["zero", "error"] = "zero",
    other_rate: Literal["resample", "error"] = "resample",
) -> np.ndarray:
    """The signal of `<path>.hea`: (time, 12) float32 in mV at `rate` Hz, leads by name, extra leads dropped.

    Files that hold only extra leads (PTB's `.xyz`) are not read.

    Args:
        missing: a canonical lead that the record lacks stays all zero (counted as a defect), or excludes the record.
        other_rate: a record stored at another rate is resampled (counted as a defect), or excluded.

    Raises:
        RecordProblem: unreadable, a unit other than mV, no canonical lead or one twice.
    """
    record = read_record(path, leads=_CANONICAL)
    return canonical_row(record_id, record, rate, ledger, missing=missing, other_rate=other_rate)


def canonical_row(
    record_id: str,
    record: WfdbRecord,
    rate: int,
    ledger: Ledger,
    *,
    missing: Literal["zero", "error"] = "zero",
    other_rate: Literal["resample", "error"] = "resample",
) -> np.ndarray:
    """What `read_row` does with a record at hand."""
    if record.rate != rate and other_rate == "error":
        raise RecordProblem("wrong sampling rate", f"{record.rate:g} Hz, expected {rate}")
    units = {unit.casefold() for unit in record.units}
    if units != {"mv"}:
        raise RecordProblem("wrong unit", f"{', '.join(sorted(units))}, expected mV")
    signal = record.signal
    names = tuple(name.casefold() for name in record.names)
    if names != _CANONICAL:
        signal = _in_order(record_id, signal, record.names, missing, ledger)
    if record.rate != rate:
        ledger.defect(record_id, "another sampling rate (resampled)", f"{record.rate:g} Hz, expected {rate}")
        signal = resample(signal, record.rate, rate)
    report_limb_leads(record_id, signal, ledger)
    return signal


def _in_order(
    record_id: str, signal: np.ndarray, names: tuple[str, ...], missing: Literal["zero", "error"], ledger: Ledger
) -> np.ndarray:
    try:
        canonical = to_canonical(signal, names, where=f"record {record_id}", missing=missing)
    except DataError as error:
        raise RecordProblem("unexpected leads", error.message) from error
    known = [name.strip().casefold() for name in names]
    found = [name for name in known if name in _CANONICAL]
    absent = [lead for lead in LEADS if lead.casefold() not in found]
    if absent:
        ledger.defect(record_id, "leads missing (stored as zero)", ", ".join(absent))
    if found != [name for name in _CANONICAL if name in found]:
        ledger.defect(record_id, "leads stored in another order (put in order by name)", " ".join(names))
    return canonical
