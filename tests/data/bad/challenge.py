"""Challenge folders that are damaged, incomplete, or another set's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl

from hf_ecg_bench.data.sources.challenge.codes import WORKBOOK
from hf_ecg_bench.data.sources.challenge.tables import UNKNOWN_CODE, UNLABELLED
from tests.data.bad_source import BadCase


def _header(root: Path, number: int = 2) -> Path:
    return sorted(root.glob("g*/*.hea"))[number]


def _edit(root: Path, old: str, new: str, *, number: int = 2) -> None:
    path = _header(root, number)
    text = path.read_text()
    assert old in text, (old, text)
    path.write_text(text.replace(old, new))


def _line(root: Path, key: str, new: str | None) -> None:
    """Replace the comment line of a key, or take it out."""
    path = _header(root)
    lines = [new if line.lstrip("# ").startswith(key) else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(line for line in lines if line is not None) + "\n")


def _cut(root: Path) -> None:
    path = _header(root).with_suffix(".mat")
    path.write_bytes(path.read_bytes()[: 24 + 24 * 100 + 7])


def _hole(root: Path) -> None:
    path = _header(root).with_suffix(".mat")
    samples = np.fromfile(path, "<i2")
    samples[12 + 12 * 400 : 12 + 12 * 450 : 12] = -32768
    samples.tofile(path)


def _no_samples(root: Path) -> None:
    _edit(root, "12 500 5000", "12 500 0")
    _header(root).with_suffix(".mat").write_bytes(b"\0" * 24)


def _flip(root: Path) -> None:
    path = _header(root).with_suffix(".mat")
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)


def _swap_columns(root: Path) -> None:
    text = _header(root).read_text()
    # The names of I and II change places; the samples stay.
    _header(root).write_text(text.replace(" 0 II\n", " 0 X\n").replace(" 0 I\n", " 0 II\n").replace(" 0 X\n", " 0 I\n"))


def _copy_to_other_part(root: Path) -> None:
    path = _header(root)
    for extension in (".hea", ".mat"):
        (root / "g2" / f"{path.stem}{extension}").write_bytes(path.with_suffix(extension).read_bytes())


def _foreign_record(root: Path) -> None:
    path = _header(root)
    text = path.read_text().replace(path.stem, "HR00001")
    (path.parent / "HR00001.hea").write_text(text)
    (path.parent / "HR00001.mat").write_bytes(path.with_suffix(".mat").read_bytes())


def _all_foreign(root: Path) -> None:
    for path in root.glob("g*/E*"):
        path.rename(path.with_name("Q" + path.name[1:]))


def _empty(root: Path) -> None:
    for path in root.glob("g*/*"):
        path.unlink()


def _workbook(root: Path, *, sheet: str, rows: list[tuple[object, ...]]) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    book.save(root / WORKBOOK)


_COLUMNS = ("Diagnosis in the dataset", "SNOMED code", "Notes")

CASES = [
    BadCase(
        "a signal file is cut off",
        "georgia",
        _cut,
        "excluded",
        "truncated file",
        "2431 bytes, the header asks for 120024",
    ),
    BadCase("samples are missing in one lead", "ningbo", _hole, "excluded", "missing samples", "-32768"),
    BadCase(
        "a record without its signal file",
        "cpsc2018",
        lambda root: _header(root).with_suffix(".mat").unlink(),
        "excluded",
        "missing file",
        "no A0003.mat",
    ),
    BadCase(
        "a record without its header",
        "cpsc_extra",
        lambda root: _header(root).unlink(),
        "excluded",
        "missing file",
        "no Q0003.hea",
    ),
    BadCase(
        "an empty header",
        "georgia",
        lambda root: _header(root).write_text(""),
        "excluded",
        "unreadable header",
        "empty",
    ),
    BadCase("a changed sample", "georgia", _flip, "excluded", "wrong checksum", "E00003.mat, signal"),
    BadCase(
        "another unit",
        "ningbo",
        lambda root: _edit(root, "1000/mV", "1000/uV"),
        "excluded",
        "wrong unit",
        "uv, expected mV",
    ),
    BadCase(
        "another storage format",
        "ningbo",
        lambda root: _edit(root, "16+24", "212+24"),
        "excluded",
        "unsupported storage format",
        "format 212, expected 16",
    ),
    BadCase(
        "a signal file outside the folder",
        "georgia",
        lambda root: _edit(root, "E00003.mat", "../g1/E00003.mat"),
        "excluded",
        "unreadable header",
        "expected a name in the record's folder",
    ),
    BadCase(
        "a sampling rate of zero",
        "georgia",
        lambda root: _edit(root, "12 500 5000", "12 0 5000"),
        "excluded",
        "wrong sampling rate",
        "0 Hz",
    ),
    BadCase(
        "no samples",
        "georgia",
        _no_samples,
        "excluded",
        "wrong length",
        "no samples",
    ),
    BadCase("a record in two parts", "cpsc2018", _copy_to_other_part, "excluded", "repeated record", "is used"),
    BadCase(
        "a record of another set", "georgia", _foreign_record, "excluded", "record of another set", "a name like E00001"
    ),
    BadCase("another set's folder", "georgia", _all_foreign, "error", "none of the 12 records", "training/georgia"),
    BadCase("a folder without records", "cpsc2018", _empty, "error", "no records (NAME.hea)", "training/cpsc_2018"),
    BadCase(
        "an unknown diagnosis code",
        "georgia",
        lambda root: _edit(root, "#Dx: ", "#Dx: 404684003,"),
        "defect",
        UNKNOWN_CODE,
        "'404684003' is not in the label table of georgia",
    ),
    BadCase(
        "an empty Dx line", "cpsc2018", lambda root: _line(root, "Dx", "#Dx: "), "defect", UNLABELLED, "no diagnosis"
    ),
    BadCase("no Dx line", "ningbo", lambda root: _line(root, "Dx", None), "defect", UNLABELLED, "no diagnosis code"),
    BadCase(
        "only unknown codes",
        "cpsc_extra",
        lambda root: _line(root, "Dx", "#Dx: 1,2"),
        "defect",
        UNLABELLED,
        "only unknown codes: 1, 2",
    ),
    BadCase(
        "an age in words",
        "georgia",
        lambda root: _line(root, "Age", "#Age: elderly"),
        "defect",
        "unusable age (stored as missing)",
        "'elderly'",
    ),
    BadCase(
        "an impossible age",
        "cpsc2018",
        lambda root: _line(root, "Age", "#Age: 300"),
        "defect",
        "unusable age (stored as missing)",
        "'300'",
    ),
    BadCase(
        "an unknown sex",
        "georgia",
        lambda root: _line(root, "Sex", "#Sex: W"),
        "defect",
        "unknown sex (stored as missing)",
        "'W'",
    ),
    BadCase(
        "another sampling rate",
        "georgia",
        lambda root: _edit(root, "12 500 5000", "12 1000 5000"),
        "defect",
        "another sampling rate (resampled)",
        "1000 Hz, expected 500",
    ),
    BadCase(
        "a lead under another name",
        "ningbo",
        lambda root: _edit(root, " 0 V6\n", " 0 V9\n"),
        "defect",
        "leads missing (stored as zero)",
        "V6",
    ),
    BadCase(
        "two leads with swapped names",
        "georgia",
        _swap_columns,
        "defect",
        "limb leads contradict each other (kept; columns swapped or mislabelled?)",
        "off by",
    ),
    BadCase(
        "records of the Chapman set in Ningbo's folder",
        "ningbo",
        lambda root: [
            path.rename(path.with_name(path.name.replace("JS10", "JS00"))) for path in root.glob("g1/JS*.hea")
        ],
        "note",
        "numbers below JS10647",
    ),
    BadCase(
        "a workbook of labels without the set's sheet",
        "georgia",
        lambda root: _workbook(root, sheet="CPSC", rows=[_COLUMNS, ("atrial fibrillation", 164889003)]),
        "error",
        "no sheet G12EC",
        "remove it",
    ),
    BadCase(
        "a workbook of labels with other columns",
        "georgia",
        lambda root: _workbook(root, sheet="G12EC", rows=[("Dx", "SNOMED code"), ("atrial fibrillation", 164889003)]),
        "error",
        "no column Diagnosis in the dataset",
        "remove it",
    ),
    BadCase(
        "a workbook of labels that differs",
        "georgia",
        lambda root: _workbook(root, sheet="G12EC", rows=[_COLUMNS, ("atrial fibrillation", 164889003)]),
        "note",
        "differs from the published table in 122 codes",
    ),
    BadCase(
        "a workbook of labels that is no workbook",
        "cpsc_extra",
        lambda root: (root / WORKBOOK).write_text("<html>404</html>"),
        "error",
        "is not a readable Excel workbook",
        "remove it",
    ),
]
