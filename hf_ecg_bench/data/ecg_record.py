"""A user's own recording: a WFDB record as millivolts in the canonical lead order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hf_ecg_bench.data.formats.wfdb_reader import WfdbRecord
from hf_ecg_bench.data.formats.wfdb_reader import read_record as read_wfdb
from hf_ecg_bench.data.ledger import RecordProblem
from hf_ecg_bench.errors import DataError, first_line
from hf_ecg_bench.signals.contract import VOLTS
from hf_ecg_bench.signals.leads import to_canonical
from hf_ecg_bench.signals.limb_order import fit_limb_leads

_SUFFIXES = (".hea", ".dat", ".mat")
_UNITS = {unit.casefold(): volts for unit, volts in VOLTS.items()}
# What our own reader leaves to the wfdb package: other storage formats and records in several segments.
_FOREIGN = ("unsupported storage format", "is not supported")
# Lead relations hold to some microvolts of rounding, and swapped columns fit much better under their right names: of
# 786 public recordings in order none fits twice as well in another order. A contradiction that no other names explain
# has to be a good part of the signal.
_ROUNDING_MV = 0.01
_TOLERANCE_MV, _TOLERANCE_SHARE = 0.1, 0.2


class EcgRecord(NamedTuple):
    """A recording: `signal` (time, 12) float32 in mV, leads I II III aVR aVL aVF V1..V6, NaN where a sample is
    missing; `sampling_rate` in Hz, from the header.
    """

    signal: np.ndarray
    sampling_rate: float


def read_record(path: str | os.PathLike[str], *, check_leads: bool = True) -> EcgRecord:
    """Read a WFDB record: `records/100`, or its `.hea` or `.dat` file.

    Leads are found by their names, units and the rate come from the header, checksums are verified.

    Args:
        check_leads: whether limb leads that contradict each other are refused.

    Raises:
        DataError: an unreadable file, a lead that is missing or there twice, a unit that is no voltage, or limb leads
            that contradict each other, as they do in a wrong order.
    """
    text = os.fspath(path)
    base = text[:-4] if text.endswith(_SUFFIXES) else text
    try:
        record = read_wfdb(base)
    except RecordProblem as problem:
        if not any(part in str(problem) for part in _FOREIGN):
            raise DataError(f"{text}: {problem}", fix="check that the record's files are complete") from problem
        record = _read_foreign(base, text)
    signal = record.signal * _millivolts(record, text)
    canonical = to_canonical(signal, record.names, where=text, missing="error")
    if check_leads:
        check_lead_order(canonical, where=text)
    return EcgRecord(canonical, record.rate)


def check_lead_order(signal: np.ndarray, *, where: str) -> None:
    """Refuse 12 leads whose limb leads do not fit together (II = I + III and the augmented leads).

    What is wrong with V1 to V6 cannot be seen: no relation connects them.

    Args:
        signal: (time, 12) in mV.

    Raises:
        DataError: columns in another order, mislabelled, scaled one by one, or empty.
    """
    fit = fit_limb_leads(signal)
    if fit is None:
        return
    limb = signal[:, :6][np.isfinite(signal[:, :6])].astype(np.float64)
    level = float(np.sqrt(np.mean(limb**2)))
    named = fit.residual > _ROUNDING_MV and fit.best < fit.residual / 2
    if not named and fit.residual <= max(_TOLERANCE_MV, _TOLERANCE_SHARE * level):
        return
    better = f"; as {' '.join(fit.order)} they fit to {fit.best:.3f} mV" if named else ""
    raise DataError(
        f"{where}: the limb leads contradict each other (II - I - III and the augmented leads are off by "
        f"{fit.residual:.2f} mV{better}): columns in another order, mislabelled or missing",
        fix="give the columns in the order I II III aVR aVL aVF V1..V6, or name them in leads=",
    )


def _millivolts(record: WfdbRecord, where: str) -> np.ndarray:
    factors = []
    for name, unit in zip(record.names, record.units, strict=True):
        volts = _UNITS.get(unit.casefold())
        if volts is None:
            raise DataError(
                f"{where}: lead {name} is in {unit!r}, expected mV, uV or V", fix="correct the header's unit"
            )
        factors.append(volts * 1e3)
    return np.array(factors, dtype=np.float32)


def _read_foreign(base: str, where: str) -> WfdbRecord:
    import wfdb

    try:
        record = wfdb.rdrecord(str(Path(base).absolute()), physical=True)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(f"{where}: {first_line(error)}", fix="check that the record's files are complete") from error
    return WfdbRecord(
        signal=record.p_signal.astype(np.float32),
        names=tuple(record.sig_name),
        units=tuple(record.units),
        rate=float(record.fs),
        comments=tuple(record.comments or ()),
    )
