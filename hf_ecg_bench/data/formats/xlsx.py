"""Metadata tables of raw datasets: Excel workbooks (.xlsx), stored values only; no formula is evaluated."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from hf_ecg_bench.errors import DataError, first_line, some

Cell = str | int | float | bool | None

# Excel's own limit; a damaged or hostile file may number its rows far beyond.
MAX_ROWS = 1_048_576
# A complete table of 10,000 records unpacks to some 20 MB.
MAX_UNPACKED = 512 * 2**20


def read_sheet(path: Path, columns: Sequence[str], *, fix: str, sheet: str | None = None) -> list[dict[str, Cell]]:
    """All rows below the header, as column -> cell; rows without any cell are skipped.

    Text is given as written (spaces included), numbers as int or float, dates as ISO text, empty cells as None.
    Column names are stripped; a formula gives the value stored with it.

    Args:
        path: the workbook.
        columns: columns that must be there.
        fix: what to tell a user whose file is missing or unusable.
        sheet: the sheet's name; None for the first.

    Raises:
        DataError: no such file or sheet, not a workbook, too large when unpacked, a missing column, one of `columns`
            twice, or no row.
    """
    # Here: every listing of datasets imports this module.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    where = str(path) if sheet is None else f"{path}, sheet {sheet!r}"
    try:
        with open(path, "rb") as handle:
            _check_size(handle, path, fix)
            workbook = openpyxl.load_workbook(handle, read_only=True, data_only=True)
            try:
                names = workbook.sheetnames
                if not names or (sheet is not None and sheet not in names):
                    raise DataError(f"{path}: no sheet {sheet or ''}; found {some(names)}", fix=fix)
                worksheet = workbook[names[0] if sheet is None else sheet]
                # The stored size of a sheet may be wrong, and would cut rows off.
                worksheet.reset_dimensions()
                rows = _rows(worksheet.iter_rows(values_only=True), columns, where, fix)
            finally:
                workbook.close()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"no {path.name} in {path.parent}", fix=fix) from error
    # What the parser raises on damaged files: no zip, parts missing or cut off, no XML, values of a wrong type.
    except (
        zipfile.BadZipFile,
        zlib.error,
        InvalidFileException,
        ParseError,
        OSError,
        EOFError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise DataError(f"{path} is not a readable Excel workbook (.xlsx): {first_line(error)}", fix=fix) from error
    if not rows:
        raise DataError(f"{where} has no rows", fix=fix)
    return rows


def _check_size(handle: Any, path: Path, fix: str) -> None:
    """A small file that unpacks to gigabytes is refused before anything is unpacked."""
    with zipfile.ZipFile(handle) as archive:
        # Reading stops at the stated size, so a wrong one cannot get past this.
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MAX_UNPACKED:
        raise DataError(
            f"{path} unpacks to {unpacked / 2**20:,.0f} MiB, expected at most {MAX_UNPACKED // 2**20}", fix=fix
        )
    handle.seek(0)


def _rows(lines: Iterator[tuple[Any, ...]], columns: Sequence[str], where: str, fix: str) -> list[dict[str, Cell]]:
    header = [str(_cell(cell) or "").strip() for cell in next(lines, ())]
    named = [name for name in header if name]
    missing = [column for column in columns if column not in named]
    if missing:
        raise DataError(f"{where}: no column {', '.join(missing)}; found {some(named, 20)}", fix=fix)
    twice = [column for column in columns if named.count(column) > 1]
    if twice:
        raise DataError(f"{where}: more than one column {', '.join(twice)}", fix=fix)
    rows: list[dict[str, Cell]] = []
    for number, line in enumerate(lines, start=2):
        if number > MAX_ROWS:
            raise DataError(f"{where}: more than {MAX_ROWS} rows", fix=fix)
        if any(cell is not None for cell in line):
            # Lines end with their last cell, and may go on beside the table.
            cells = [*line, *[None] * (len(header) - len(line))]
            rows.append({name: _cell(cell) for name, cell in zip(header, cells, strict=False) if name})
    return rows


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
