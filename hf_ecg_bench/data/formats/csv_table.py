"""Metadata tables of raw datasets: comma-separated text, read as text, with the columns that are needed."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from hf_ecg_bench.errors import DataError


def read_table(path: Path, columns: Sequence[str], *, fix: str) -> list[dict[str, str]]:
    """All rows as text, cells stripped.

    Args:
        path: the file.
        columns: columns that must be there.
        fix: what to tell a user whose file is missing or lacks a column.

    Raises:
        DataError: no such file, not readable as UTF-8 CSV, a missing column, a row that has more or fewer cells than
            there are columns, or no row.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            names = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = names
            missing = [column for column in columns if column not in names]
            if missing:
                raise DataError(
                    f"{path}: no column {', '.join(missing)}; found {', '.join(names) or 'nothing'}", fix=fix
                )
            rows = []
            for row in reader:
                # Cells beyond the header lie under None, cells that are not there are None.
                if None in row or None in row.values():
                    raise DataError(
                        f"{path} line {reader.line_num}: {'more' if None in row else 'fewer'} cells than the "
                        f"{len(names)} columns (a broken download, or a comma in a text without quotes)",
                        fix=fix,
                    )
                rows.append({name: cell.strip() for name, cell in row.items()})
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"no {path.name} in {path.parent}", fix=fix) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a UTF-8 table of comma-separated values: {error}", fix=fix) from error
    if not rows:
        raise DataError(f"{path} has no rows", fix=fix)
    return rows


def number(text: str) -> float | None:
    """A finite number, or None where the cell holds none (empty, text, NaN, infinity, Python's own `1_000`)."""
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole_number(text: str) -> int | None:
    """A whole number, also written `3.0`, or None."""
    value = number(text)
    return int(value) if value is not None and value == int(value) else None
