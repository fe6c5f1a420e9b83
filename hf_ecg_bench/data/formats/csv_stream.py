"""Tables of any size: comma-separated text, plain or gzip, read once in batches of typed columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from hf_ecg_bench.errors import DataError, first_line, some
from hf_ecg_bench.progress import progress

# Text parsed at a time; a batch of columns is smaller, and some batches are read ahead.
BLOCK_BYTES = 4 << 20
# A table of a thousand columns has a header of some ten kilobytes.
_HEADER_BYTES = 1 << 20
# What tables write for "nothing here"; pandas and others read them the same way.
_MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
_IN_COLUMN = re.compile(r"In CSV column #(\d+): (?:Row #\d+: )?")


def stream_csv(
    path: Path, columns: Mapping[str, pa.DataType], *, fix: str, required: Iterable[str] = ()
) -> Iterator[pa.RecordBatch]:
    """The named columns of a table with a header line, in table order, some ten thousand rows at a time.

    Empty cells, and words like NA and NaN, are null. Only these columns are converted; memory does not depend on the
    size of the table.

    Args:
        path: ends in `.csv`, or in `.csv.gz` for gzip.
        columns: the columns that must be there, with their types.
        fix: what to tell a user whose file is unusable.
        required: columns in which no cell may be empty.

    Raises:
        DataError: missing, empty, damaged (cut off, uneven rows), without a column, or with a cell that is not of
            its column's type; names the file and the column.
    """
    names: list[str] = []
    rows = 0
    try:
        names = _header(path)
        missing = [name for name in columns if name not in names]
        if missing:
            raise DataError(f"{path}: no column {some(missing)}; found {some(names, 12)}", fix=fix)
        with progress(desc=f"read {path.name}", unit=" rows", unit_scale=True) as bar, _open(path, columns) as reader:
            for batch in reader:
                for name in required:
                    if batch.column(name).null_count:
                        raise DataError(f"{path}: a row without {name}", fix=fix)
                rows += batch.num_rows
                bar.update(batch.num_rows)
                yield batch
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"no {path.name} in {path.parent}", fix=fix) from error
    except (pa.ArrowException, OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {_explain(error, names)}", fix=fix) from error
    if not rows:
        raise DataError(f"{path} has no rows", fix=fix)


def _header(path: Path) -> list[str]:
    """The column names in the first line."""
    with pa.input_stream(str(path), compression=_compression(path)) as stream:
        text = stream.read(_HEADER_BYTES).decode("utf-8-sig", errors="replace")
    return next(csv.reader(text.splitlines()), [])


def _open(path: Path, columns: Mapping[str, pa.DataType]) -> arrow_csv.CSVStreamingReader:
    stream = pa.input_stream(str(path), compression=_compression(path))
    return arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
        # A quoted comment may hold line breaks; allowing for them costs nothing that can be measured.
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict(columns),
            null_values=list(_MISSING),
            strings_can_be_null=True,
            true_values=["True", "true", "1"],
            false_values=["False", "false", "0"],
        ),
    )


def _compression(path: Path) -> str | None:
    return "gzip" if path.suffix == ".gz" else None


def _explain(error: Exception, names: list[str]) -> str:
    """Arrow's message with the column's name instead of its number."""
    message = first_line(error)
    match = _IN_COLUMN.match(message)
    if match and int(match[1]) < len(names):
        message = f"column {names[int(match[1])]}: {message[match.end() :]}"
    return message[:200]
