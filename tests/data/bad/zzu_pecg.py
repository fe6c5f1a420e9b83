"""ZZU pECG trees that are damaged or incomplete."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.data.bad_source import BadCase

TABLE = "AttributesDictionary.csv"


def _signal(root: Path) -> Path:
    return root / "Child_ecg" / "P00" / "P00003" / "P00003_E01.dat"


def _edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        path = root / name
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new, 1))

    return damage


def _header(old: str, new: str) -> Callable[[Path], None]:
    return _edit("Child_ecg/P00/P00003/P00003_E01.hea", old, new)


def _truncate(root: Path) -> None:
    path = _signal(root)
    path.write_bytes(path.read_bytes()[:5000])


def _nine_leads(root: Path) -> None:
    """The header of the third record describes nine leads only, and its signal file has no others."""
    path = _signal(root).with_suffix(".hea")
    lines = path.read_text().splitlines()
    kept = [line for line in lines[1:] if not line.endswith(("V2", "V4", "V6"))]
    path.write_text("\n".join([lines[0].replace(" 12 ", " 9 "), *kept]) + "\n")
    # Of twelve columns in each frame, those that the header still describes.
    raw = memoryview(_signal(root).read_bytes()).cast("H")
    columns = [column for column in range(12) if column not in (7, 9, 11)]
    samples = [raw[frame + column] for frame in range(0, len(raw), 12) for column in columns]
    _signal(root).write_bytes(b"".join(value.to_bytes(2, "little") for value in samples))


def _repeat_a_row(root: Path) -> None:
    path = root / TABLE
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[3]]) + "\n")


CASES = [
    BadCase(
        "no table of records", "zzu_pecg", lambda root: (root / TABLE).unlink(), "error", f"no {TABLE}", "figshare"
    ),
    BadCase("no table of codes", "zzu_pecg", lambda root: (root / "ECGCode.csv").unlink(), "error", "no ECGCode.csv"),
    BadCase(
        "no table of diseases",
        "zzu_pecg",
        lambda root: (root / "DiseaseCode.csv").unlink(),
        "note",
        "no DiseaseCode.csv",
        "every record has fold -1 and is in train",
    ),
    BadCase(
        "signals not unpacked",
        "zzu_pecg",
        lambda root: shutil.rmtree(root / "Child_ecg"),
        "error",
        "no folder Child_ecg",
        "both parts of Child_ecg.zip",
    ),
    BadCase("a column is missing", "zzu_pecg", _edit(TABLE, "AHA_code", "codes"), "error", "no column aha_code"),
    BadCase(
        "a comma in a finding",
        "zzu_pecg",
        _edit(TABLE, "'Left ventricular high voltage'", "'AV block, advanced'"),
        "error",
        "more cells than the 14 columns",
    ),
    BadCase(
        "a code that means two things",
        "zzu_pecg",
        _edit("DiseaseCode.csv", "Q1.0", "Q0.0"),
        "note",
        "DiseaseCode.csv has Q0.0 twice",
        "'Atrial septal defect'; the first is used",
    ),
    BadCase(
        "a record without a file",
        "zzu_pecg",
        lambda root: _signal(root).unlink(),
        "excluded",
        "missing file",
        "P00003_E01.dat",
    ),
    BadCase("a truncated file", "zzu_pecg", _truncate, "excluded", "truncated file", "the header asks for"),
    BadCase("a foreign header", "zzu_pecg", _header(" 12 500 ", " twelve 500 "), "excluded", "unreadable header"),
    BadCase("a lead in microvolts", "zzu_pecg", _header("1000/mV", "1/uV"), "excluded", "wrong unit", "expected mV"),
    BadCase(
        "another rate",
        "zzu_pecg",
        _header(" 12 500 ", " 12 250 "),
        "defect",
        "another sampling rate (resampled)",
        "250 Hz, expected 500",
    ),
    BadCase(
        "nine leads in a record of twelve",
        "zzu_pecg",
        _nine_leads,
        "defect",
        "leads missing (stored as zero)",
        "V2, V4, V6",
    ),
    BadCase(
        "another length than in the table",
        "zzu_pecg",
        _edit(TABLE, ",5000,12,", ",4000,12,"),
        "defect",
        "another length than in AttributesDictionary.csv (kept)",
        "5000 samples, Sampling_point is 4000",
    ),
    BadCase(
        "an impossible number of leads",
        "zzu_pecg",
        _edit(TABLE, ",12,", ",Null,"),
        "excluded",
        "unusable Lead",
        "expected 12 or 9",
    ),
    BadCase(
        "an age in years",
        "zzu_pecg",
        _edit(TABLE, ",98d,", ",3y,"),
        "defect",
        "unknown age (stored as missing)",
        "expected days (572d)",
    ),
    BadCase(
        "an unknown sex",
        "zzu_pecg",
        _edit(TABLE, "'Male'", "'Boy'"),
        "defect",
        "unknown sex (stored as missing)",
        "'Boy'",
    ),
    BadCase(
        "an unknown AHA code",
        "zzu_pecg",
        _edit(TABLE, "'A0'", "'Z999'"),
        "defect",
        "unknown AHA code (no label, kept in findings)",
        "'Z999'",
    ),
    BadCase(
        "no patient",
        "zzu_pecg",
        _edit(TABLE, ",P00002,", ",Null,"),
        "defect",
        "no Patient_ID (the record counts as a patient of its own)",
    ),
    BadCase(
        "a row twice", "zzu_pecg", _repeat_a_row, "excluded", "duplicate ECG_ID", "the first row with this id is used"
    ),
    BadCase(
        "a path that leaves the folder",
        "zzu_pecg",
        _edit(TABLE, "P00/P00002/P00002_E01", "../P00002_E01"),
        "excluded",
        "unusable Filename",
        "expected a path below Child_ecg",
    ),
]
