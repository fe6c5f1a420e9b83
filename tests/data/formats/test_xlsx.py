"""Excel tables: cells as stored, and every unusable file named."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from hf_ecg_bench.data.formats import xlsx
from hf_ecg_bench.data.formats.xlsx import read_sheet
from hf_ecg_bench.errors import DataError

FIX = "get the file again"


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "First"
    first.append([" Name ", "Code", None, "Seen"])
    first.append(["a  b ", 270492004, "beside the table", datetime(2018, 1, 2)])
    first.append([])
    first.append(["=1+1", 0.5])
    book.create_sheet("Other").append(["Only", "a header"])
    book.save(tmp_path / "table.xlsx")
    return tmp_path / "table.xlsx"


def test_cells_are_as_stored(workbook: Path) -> None:
    assert read_sheet(workbook, ["Name", "Code"], fix=FIX) == [
        {"Name": "a  b ", "Code": 270492004, "Seen": "2018-01-02T00:00:00"},
        {"Name": None, "Code": 0.5, "Seen": None},  # a formula that was never computed has no value
    ]
    assert read_sheet(workbook, ["Name"], fix=FIX, sheet="First")[0]["Name"] == "a  b "


@pytest.mark.parametrize(
    ("columns", "sheet", "said"),
    [
        (["Name", "Rhythm"], None, "no column Rhythm; found Name, Code, Seen"),
        (["Name"], "Third", "no sheet Third; found First, Other"),
        (["Only"], "Other", "has no rows"),
    ],
)
def test_what_is_missing_is_named(workbook: Path, columns: list[str], sheet: str | None, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        read_sheet(workbook, columns, fix=FIX, sheet=sheet)
    assert str(workbook) in error.value.message
    assert error.value.fix == FIX


def test_a_column_twice_is_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Name", "Name"])
    book.active.append(["a", "b"])
    book.save(tmp_path / "table.xlsx")
    with pytest.raises(DataError, match="more than one column Name"):
        read_sheet(tmp_path / "table.xlsx", ["Name"], fix=FIX)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no table\.xlsx in "):
        read_sheet(tmp_path / "table.xlsx", [], fix=FIX)
    with pytest.raises(DataError, match="no "):
        read_sheet(tmp_path, [], fix=FIX)


def _rewrite(path: Path, member: str, text: bytes | None) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if text is None:
        del parts[member]
    else:
        parts[member] = text
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


_SHEET = "xl/worksheets/sheet1.xml"
_LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "'
    + b"ha" * 500
    + b'">'
    + b"".join(f'<!ENTITY {n} "{f"&{m};" * 20}">'.encode() for m, n in zip("abcdef", "bcdefg", strict=True))
    + b"]><x>&g;</x>"
)
_FAR = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c></row>'
    b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row></sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("FileName,Rhythm\na,SR\n"), "not a readable Excel workbook"),
        (lambda path: path.write_bytes(path.read_bytes()[:2000]), "not a readable Excel workbook"),
        (lambda path: _rewrite(path, "xl/workbook.xml", None), "not a readable Excel workbook"),
        (lambda path: _rewrite(path, _SHEET, b"<worksheet><sheetData><row>"), "not a readable Excel workbook"),
        (lambda path: _rewrite(path, _SHEET, _LAUGHS), "not a readable Excel workbook"),
        (lambda path: _rewrite(path, _SHEET, _FAR), "more than 1000 rows"),
        (lambda path: _rewrite(path, "xl/media/image1.png", b"0" * 2**21), "unpacks to 2 MiB, expected at most 1"),
    ],
    ids=["text", "cut off", "no workbook", "broken XML", "entities", "row number", "zip bomb"],
)
def test_hostile_and_damaged_files_are_named(
    workbook: Path, damage: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MAX_UNPACKED", 2**20)
    monkeypatch.setattr(xlsx, "MAX_ROWS", 1000)
    damage(workbook)  # type: ignore[operator]
    with pytest.raises(DataError, match=said) as error:
        read_sheet(workbook, ["Name"], fix=FIX)
    assert workbook.name in error.value.message
    assert error.value.fix == FIX


@pytest.mark.shared
def test_a_real_table(shared: Path) -> None:
    path = shared / "data/challenge2021_tables/Label mappings 2021.xlsx"
    rows = read_sheet(path, ["Diagnosis in the dataset", "SNOMED code"], fix=FIX, sheet="Chapman")
    assert rows[0]["SNOMED code"] == 270492004
