"""Large tables of comma-separated text, read by column: some hundred thousand rows in a second and without a Python
object per cell.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv

from hf_ecg_bench.errors import DataError, first_line


def read_columns(path: Path, columns: Sequence[str], *, fix: str, optional: Sequence[str] = ()) -> pa.Table:
    """Some columns as text, in the order asked for; an empty cell is an empty text.

    Args:
        path: the file.
        columns: must be there.
        fix: what to tell a user whose file is missing or lacks a column.
        optional: are left out where they are not there.

    Raises:
        DataError: no such file, not readable as UTF-8 CSV, rows of unequal width, a missing column, or no row.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            names = [name.strip() for name in next(csv.reader(handle), [])]
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"no {path.name} in {path.parent}", fix=fix) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a UTF-8 table of comma-separated values: {error}", fix=fix) from error
    missing = [column for column in columns if column not in names]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}; found {', '.join(names) or 'nothing'}", fix=fix)
    wanted = [*columns, *(column for column in optional if column in names)]
    try:
        table = arrow_csv.read_csv(
            path,
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is not a table of comma-separated values: {first_line(error)}", fix=fix) from error
    if not len(table):
        raise DataError(f"{path} has no rows", fix=fix)
    return table


def cells(table: pa.Table, column: str) -> Iterator[str]:
    """A column's cells, stripped."""
    for chunk in table[column].chunks:
        yield from (cell.strip() for cell in chunk.to_pylist())
