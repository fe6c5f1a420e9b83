"""MIMIC-IV-ECG's signals, out of the release's zip archive or its unpacked folder: (time, 12) millivolts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from hf_ecg_bench.data.formats.wfdb_reader import WfdbRecord, decode_record, file_stamp, read_record
from hf_ecg_bench.data.formats.wfdb_rows import canonical_row
from hf_ecg_bench.data.formats.zip_members import Member, list_members, read_member
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.sources.mimic.layout import DAMAGED
from hf_ecg_bench.signals.leads import LEADS, MIMIC_LEADS
from hf_ecg_bench.signals.nan import count, interpolate

RATE = 500
# Larger values are artefacts of electrodes; the limit is the published one.
LIMIT_MV = 3.0
_FROM_MIMIC = [MIMIC_LEADS.index(lead) for lead in LEADS]


class Reference(NamedTuple):
    """Where a record is: in an archive (`header`, `samples`), or as files of which `path` is the common stem."""

    record_id: str
    path: str
    header: Member | None = None
    samples: Member | None = None


def find_records(source: Path, subjects: dict[int, int], ledger: Ledger) -> dict[int, tuple[Reference, str]]:
    """Reference and stamp of each wanted study that the source has.

    Args:
        source: the archive, or the folder `files/`.
        subjects: wanted study -> its patient.
        ledger: studies without complete files are named here.

    Raises:
        DataError: an archive that is cut off or damaged.
    """
    if source.is_dir():
        return _in_folder(source, subjects, ledger)
    return _in_archive(source, subjects, ledger)


def _in_archive(path: Path, subjects: dict[int, int], ledger: Ledger) -> dict[int, tuple[Reference, str]]:
    members: dict[int, dict[str, Member]] = {}
    for name, member in list_members(path, fix=DAMAGED):
        stem, _, extension = name.rpartition(".")
        if extension not in ("hea", "dat"):
            continue
        folder, _, word = stem.rpartition("/")
        if not (word.isascii() and word.isdigit()) or int(word) not in subjects:
            continue
        if folder.endswith(_folder(subjects[int(word)], int(word))):
            members.setdefault(int(word), {})[extension] = member
    found = {}
    for study, subject in subjects.items():
        own = members.get(study, {})
        if set(own) == {"hea", "dat"}:
            reference = Reference(str(study), str(path), own["hea"], own["dat"])
            found[study] = (reference, f"{own['hea'].crc:08x} {own['dat'].crc:08x}")
        else:
            _absent(study, subject, path, ledger)
    return found


def _in_folder(path: Path, subjects: dict[int, int], ledger: Ledger) -> dict[int, tuple[Reference, str]]:
    found = {}
    for study, subject in subjects.items():
        stem = str(path.joinpath(*PurePosixPath(_folder(subject, study)).parts[1:], str(study)))
        stamp = file_stamp(stem)
        if ".hea" in stamp and ".dat" in stamp:
            found[study] = (Reference(str(study), stem), stamp)
        else:
            _absent(study, subject, path, ledger)
    return found


def _folder(subject: int, study: int) -> str:
    return f"files/p{subject // 10_000}/p{subject}/s{study}"


def _absent(study: int, subject: int, source: Path, ledger: Ledger) -> None:
    ledger.exclude(str(study), "no signal", f"{source.name} lacks {_folder(subject, study)}/{study}.hea or .dat")


def read_mimic(reference: Reference, ledger: Ledger) -> np.ndarray:
    """A record's signal: leads in canonical order by name, missing samples filled, within +-3 mV.

    Raises:
        RecordProblem: unreadable or damaged; a unit other than mV; no lead, or a lead twice.
    """
    record = _load(reference)
    if record.names == MIMIC_LEADS:  # every record's order, and so nothing to report
        record = replace(record, signal=record.signal[:, _FROM_MIMIC], names=LEADS)
    signal = canonical_row(reference.record_id, record, RATE, ledger)
    filled, missing = interpolate(signal)
    if missing:
        leads = ", ".join(lead for lead, own in zip(LEADS, np.isnan(signal).any(axis=0), strict=True) if own)
        detail = f"{missing - count(filled)} of {missing} missing samples, in {leads}"
        ledger.defect(reference.record_id, "missing samples (interpolated)", detail)
    return np.clip(filled, -LIMIT_MV, LIMIT_MV)


def _load(reference: Reference) -> WfdbRecord:
    if reference.header is None or reference.samples is None:
        return read_record(reference.path)
    name = reference.record_id
    try:
        with open(reference.path, "rb") as archive:
            header = read_member(archive, reference.header, f"{name}.hea")
            samples = read_member(archive, reference.samples, f"{name}.dat")
    except OSError as error:
        raise RecordProblem("unreadable file", f"{Path(reference.path).name}: {error.strerror}") from error
    return decode_record(header, samples)
