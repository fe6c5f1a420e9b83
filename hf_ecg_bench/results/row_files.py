"""Rows in a file: Parquet, CSV or JSON lines. What is read may come from strangers, so every column is checked."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_ecg_bench.errors import PredictionsError, first_line, some
from hf_ecg_bench.files import atomic_path
from hf_ecg_bench.results.row import ROW_VERSION, Row
from hf_ecg_bench.results.row_checks import COLUMNS, FIX, checked

SUFFIXES = (".parquet", ".csv", ".jsonl")
#: More rows than this are not a file of results.
MAX_ROWS = 1_000_000

_ARROW = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}
_UPGRADE = "pip install --upgrade hf-ecg-bench"

#: Version -> what turns a file's columns (name -> values) of that version into those of the next one.
MIGRATIONS: dict[int, Callable[[dict[str, list[Any]]], dict[str, list[Any]]]] = {
    1: lambda columns: columns | {"settings": [""] * len(columns["row_version"])},
}


def write_rows(rows: Sequence[Row], path: Path) -> Path:
    """Write rows atomically; the name's ending decides: .parquet, .csv (NaN as `nan`) or .jsonl (NaN as null).

    Raises:
        PredictionsError: another ending, or a row that could not be read back.
    """
    path = Path(path)
    kind = _kind(path)

    def where(index: int, name: str) -> str:
        return f"row {index + 1}, column {name}"

    values = {name: checked(name, [getattr(row, name) for row in rows], where) for name in COLUMNS}
    with atomic_path(path) as temporary:
        if kind == ".parquet":
            schema = pa.schema([pa.field(name, _ARROW[type_], nullable=False) for name, type_ in COLUMNS.items()])
            columns = [pa.array(values[name], _ARROW[type_]) for name, type_ in COLUMNS.items()]
            pq.write_table(pa.Table.from_arrays(columns, schema=schema), temporary, compression="zstd")
        elif kind == ".csv":
            with temporary.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows(map(_as_text, row) for row in zip(*values.values(), strict=True))
        else:
            with temporary.open("w", encoding="utf-8") as file:
                for row in zip(*values.values(), strict=True):
                    line = dict(zip(COLUMNS, map(_as_json, row), strict=True))
                    file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def read_row_file(path: Path) -> list[Row]:
    """Read what `write_rows` wrote, with this or an earlier version; nothing in it is taken on trust.

    Raises:
        PredictionsError: no such file, another ending, a newer version, a missing or an unknown column, or a value
            that is not of its column's type; the message names the row (the line, in a text file) and the column.
    """
    path = Path(path)
    kind = _kind(path)
    if not path.is_file():
        raise PredictionsError(f"no file {path}", fix="give a file that write_rows wrote")
    reader = {".parquet": _read_parquet, ".csv": _read_csv, ".jsonl": _read_jsonl}[kind]
    columns, first_line_number = reader(path)

    def where(index: int, name: str) -> str:
        place = f"row {index + 1}" if kind == ".parquet" else f"line {index + first_line_number}"
        return f"{path}: {place}, column {name}"

    columns = _migrated(path, columns, where)
    missing = [name for name in COLUMNS if name not in columns]
    unknown = [name for name in columns if name not in COLUMNS]
    if missing or unknown:
        found = ([f"missing column {some(missing)}"] if missing else []) + (
            [f"unknown column {some(map(repr, unknown))}"] if unknown else []
        )
        raise PredictionsError(f"{path}: {'; '.join(found)}", fix=FIX)
    values = [checked(name, columns[name], where) for name in COLUMNS]
    return [Row(*values) for values in zip(*values, strict=True)]


def _kind(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise PredictionsError(
            f"{path}: rows are kept in {', '.join(SUFFIXES)}, not {path.suffix or 'a file without ending'}",
            fix=f"name it {path.stem}.parquet",
        )
    return path.suffix


def _read_parquet(path: Path) -> tuple[dict[str, list[Any]], int]:
    try:
        with pq.ParquetFile(path) as file:
            _check_number(path, file.metadata.num_rows)
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise PredictionsError(f"{path}: not a readable Parquet file ({first_line(error)})", fix=FIX) from error
    if len(set(table.column_names)) < len(table.column_names):
        raise PredictionsError(f"{path}: a column occurs twice", fix=FIX)
    for column in table.schema:
        wanted = _ARROW[COLUMNS[column.name]] if column.name in COLUMNS else None
        if wanted is not None and column.type != wanted:
            raise PredictionsError(f"{path}: column {column.name}: expected {wanted}, found {column.type}", fix=FIX)
    return {name: table.column(name).to_pylist() for name in table.column_names}, 1


def _read_csv(path: Path) -> tuple[dict[str, list[Any]], int]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            rows: list[list[str]] = []
            for values in reader:
                if len(values) != len(header):
                    raise PredictionsError(
                        f"{path}: line {len(rows) + 2} has {len(values)} values, the first line {len(header)} names",
                        fix=FIX,
                    )
                rows.append(values)
                _check_number(path, len(rows))
    except (csv.Error, UnicodeDecodeError) as error:
        raise PredictionsError(f"{path}: not a readable CSV file ({first_line(error)})", fix=FIX) from error
    if len(set(header)) < len(header):
        raise PredictionsError(f"{path}: a column occurs twice", fix=FIX)
    columns = {name: [values[place] for values in rows] for place, name in enumerate(header)}
    return {name: _parsed(COLUMNS.get(name, str), values) for name, values in columns.items()}, 2


def _read_jsonl(path: Path) -> tuple[dict[str, list[Any]], int]:
    columns: dict[str, list[Any]] = {}
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                _check_number(path, number)
                raw = json.loads(text)
                if not isinstance(raw, dict) or (columns and raw.keys() != columns.keys()):
                    raise PredictionsError(f"{path}: line {number}: expected an object with every column", fix=FIX)
                for name, value in raw.items():
                    missing = value is None and COLUMNS.get(name) is float
                    columns.setdefault(name, []).append(math.nan if missing else value)
    except (ValueError, RecursionError) as error:
        raise PredictionsError(f"{path}: line {number} is not JSON ({first_line(error)})", fix=FIX) from error
    return columns or {name: [] for name in COLUMNS}, 1


def _check_number(path: Path, number: int) -> None:
    if number > MAX_ROWS:
        raise PredictionsError(f"{path}: more than {MAX_ROWS:,} rows", fix="split the file")


def _parsed(type_: type, values: list[str]) -> list[Any]:
    """Texts as values of a column; one that is none stays a text, which the check then names."""
    return values if type_ is str else [_value(type_, text) for text in values]


def _value(type_: type, text: str) -> Any:
    try:
        return {"true": True, "false": False}.get(text, text) if type_ is bool else type_(text)
    except ValueError:
        return text


def _migrated(path: Path, columns: dict[str, list[Any]], where: Callable[[int, str], str]) -> dict[str, list[Any]]:
    versions = columns.get("row_version")
    if versions is None:
        raise PredictionsError(f"{path}: no column row_version: not a file of rows", fix=FIX)
    for index, version in enumerate(versions):
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise PredictionsError(
                f"{where(index, 'row_version')}: expected a whole number, found {version!r:.60}", fix=FIX
            )
        if version > ROW_VERSION:
            raise PredictionsError(
                f"{where(index, 'row_version')}: version {version}, this program reads up to {ROW_VERSION}",
                fix=_UPGRADE,
            )
        if version != versions[0]:
            raise PredictionsError(f"{where(index, 'row_version')}: versions {versions[0]} and {version} in one file")
    if not versions:  # of no rows nobody can say which version they are
        return columns | {name: [] for name in COLUMNS if name not in columns}
    for version in range(versions[0], ROW_VERSION):
        columns = MIGRATIONS[version](columns) | {"row_version": [version + 1] * len(versions)}
    return columns


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def _as_json(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
