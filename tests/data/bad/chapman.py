"""Chapman trees that are damaged or incomplete, in both layouts."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl

from hf_ecg_bench.data.sources.example.signals import example_ecg
from hf_ecg_bench.data.sources.example.wfdb_files import write_wfdb
from tests.data.bad_source import BadCase, Outcome

_NAME = "MUSE_20180103_100002_2000"
_TABLE = "Diagnostics.xlsx"


def _file(root: Path) -> Path:
    return root / "ECGData" / f"{_NAME}.csv"


def _lines(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """Other lines in a record's file."""
    return lambda root: _file(root).write_text("\n".join(change(_file(root).read_text().splitlines())) + "\n")


def _line(number: int, cell: int, text: str) -> Callable[[Path], None]:
    """Another text in a cell of a record's file."""

    def change(lines: list[str]) -> list[str]:
        cells = lines[number].split(",")
        cells[cell] = text
        return [*lines[:number], ",".join(cells), *lines[number + 1 :]]

    return _lines(change)


def _cell(place: str, value: object) -> Callable[[Path], None]:
    """Another value in a cell of the table (row 4 is the record above)."""

    def damage(root: Path) -> None:
        book = openpyxl.load_workbook(root / _TABLE)
        assert book.active is not None
        book.active[place] = value
        book.save(root / _TABLE)

    return damage


def _cut_row(lines: list[str]) -> list[str]:
    return [*lines[:3000], lines[3000][:20]]


def _zip_bomb(root: Path) -> None:
    with zipfile.ZipFile(root / _TABLE, "a") as archive:
        archive.writestr("xl/x.bin", b"")
        # What the archive says about itself decides; nobody unpacks it to find out.
        archive.getinfo("xl/x.bin").file_size = 2**30


def _no_table(root: Path) -> None:
    (root / _TABLE).unlink()


def _two_tables(root: Path) -> None:
    shutil.copy(root / _TABLE, root / "Diagnostics (1).xlsx")
    (root / _TABLE).rename(root / "Diagnostics_old.xlsx")


def _denoised_only(root: Path) -> None:
    (root / "ECGData").rename(root / "ECGDataDenoised")


def _challenge(codes: dict[str, str]) -> Callable[[Path], None]:
    """The Challenge's layout in place of the tree."""

    def damage(root: Path) -> None:
        shutil.rmtree(root / "ECGData")
        _no_table(root)
        for number, (name, dx) in enumerate({"JS00001": "426783006", "JS00002": "426177001", **codes}.items()):
            comments = ["Age: 59", "Sex: Female", f"Dx: {dx}"]
            write_wfdb(root / name, example_ecg(number), comments=comments, extension=".mat")

    return damage


def _case(name: str, damage: Callable[[Path], object], outcome: Outcome, reason: str, detail: str = "") -> BadCase:
    return BadCase(name, "chapman", damage, outcome, reason, detail, n=4)


CASES = [
    _case("no table", _no_table, "error", "no Diagnostics.xlsx", "figshare"),
    _case("several tables", _two_tables, "error", "several like it: Diagnostics (1).xlsx, Diagnostics_old.xlsx"),
    _case(
        "the table is text",
        lambda root: (root / _TABLE).write_text("FileName,Rhythm\n"),
        "error",
        "not a readable Excel",
    ),
    _case("the table is a zip bomb", _zip_bomb, "error", "unpacks to", "expected at most 512"),
    _case("a column of the table missing", _cell("C1", "Beats"), "error", "no column Beat", "Beats"),
    _case("denoised signals only", _denoised_only, "error", "no folder ECGData", "ECGDataDenoised"),
    _case(
        "a name that leaves the folder", _cell("A4", "../../etc/passwd"), "excluded", "unusable FileName", "record 3"
    ),
    _case(
        "a name twice",
        _cell("A4", "MUSE_20180102_100001_1000"),
        "excluded",
        "duplicate FileName",
        "the first one is used",
    ),
    _case("a row without a file", lambda root: _file(root).unlink(), "excluded", "missing file", f"{_NAME}.csv"),
    _case(
        "files without a row",
        lambda root: (root / "ECGData" / "other.csv").write_text("x"),
        "note",
        "1 files of ECGData have no row in the table",
        "other",
    ),
    _case("two spaces between labels", _cell("C4", "TWC  LVHV"), "defect", "empty label (ignored)", "'TWC  LVHV"),
    _case(
        "a label that the release does not have",
        _cell("C4", "TWC XYZ"),
        "defect",
        "unknown label (no class of the release)",
        "XYZ",
    ),
    _case("no rhythm", _cell("B4", None), "defect", "no rhythm"),
    _case("no header in a record", _lines(lambda lines: lines[1:]), "excluded", "unexpected leads", "no standard lead"),
    _case("a lead with another name", _line(0, 11, "V7"), "excluded", "unexpected leads", "V6 missing"),
    _case("a lead twice", _line(0, 11, "V5"), "excluded", "unexpected leads", "V5 appears twice"),
    _case(
        "leads in another order",
        _lines(lambda lines: [",".join([*line.split(",")[6:], *line.split(",")[:6]]) for line in lines]),
        "defect",
        "leads stored in another order (put in order by name)",
        "V1 V2",
    ),
    _case(
        "lead names swapped",
        _lines(lambda lines: ["II,I" + lines[0][4:], *lines[1:]]),
        "defect",
        "limb leads contradict each other (kept; columns swapped or mislabelled?)",
    ),
    _case("text in a cell", _line(10, 1, "n.a."), "excluded", "malformed table", "line 11, column II"),
    _case(
        "an empty cell", _line(10, 1, ""), "defect", "missing samples (kept; they count as 0 for a model)", "1 of 60000"
    ),
    _case("a file cut off in a row", _lines(_cut_row), "excluded", "malformed table", "Row #3001: Expected 12 columns"),
    _case(
        "a file cut off between rows",
        _lines(lambda lines: lines[:3000]),
        "defect",
        "another length (kept)",
        "2999 samples",
    ),
    _case("a header and nothing else", _lines(lambda lines: lines[:1]), "excluded", "wrong length", "no samples"),
    _case("an empty file", lambda root: _file(root).write_bytes(b""), "excluded", "wrong length", "is empty"),
    _case(
        "Challenge: a record of Ningbo",
        _challenge({"JS20008": "426783006"}),
        "excluded",
        "not a Chapman record",
        "ningbo",
    ),
    _case(
        "Challenge: an unknown code",
        _challenge({"JS00003": "426783006,42"}),
        "defect",
        "unknown diagnosis code (ignored)",
        "42",
    ),
    _case(
        "Challenge: no diagnosis", _challenge({"JS00003": ""}), "defect", "no diagnosis (kept without a label)", "Dx"
    ),
]
