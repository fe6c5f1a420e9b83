"""Signals published as text: one CSV file per record, a header with the leads' names and a row per sample."""

from __future__ import annotations

import os
import re
from textwrap import shorten

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from hf_ecg_bench.data.formats.short_numbers import parse_grid
from hf_ecg_bench.data.ledger import RecordProblem
from hf_ecg_bench.errors import DataError, first_line
from hf_ecg_bench.signals.leads import LEADS, lead_positions

# A record of a minute at 1000 Hz; a larger file is something else.
MAX_BYTES = 64 * 2**20
_GLANCE = 80
_CELL = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )(.*)")


def read_lead_table(path: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The twelve leads of a CSV file, found by name, and the names in the order of the file.

    Empty cells and cells that say NaN are NaN. Other columns are ignored.

    Returns:
        (time, 12) float64 in the file's unit, canonical order; the column names as written.

    Raises:
        RecordProblem: a missing or unreadable file, a header without all twelve leads, text in a cell, a row with
            other than the header's number of cells; the detail says where.
    """
    name = os.path.basename(path)
    raw = _read(path, name)
    if not raw:
        raise RecordProblem("wrong length", f"{name} is empty")
    end = raw.find(b"\n")
    head = (raw if end < 0 else raw[:end]).decode("utf-8-sig", errors="replace").strip()
    names = tuple(cell.strip().strip('"') for cell in head.split(","))
    columns = _columns(names, name)
    if end < 0 or not raw[end : end + _GLANCE].strip():
        raise RecordProblem("wrong length", f"{name}: a header and no samples")
    values = parse_grid(raw, end + 1, len(names))
    if values is None:
        return _parse(raw, names, columns, name), names
    return values if columns == list(range(len(names))) else values[:, columns], names


def _columns(names: tuple[str, ...], name: str) -> list[int]:
    """The positions of the twelve leads in canonical order."""
    try:
        found = lead_positions(names, where=name)
    except DataError as error:
        # Of a file that is no text the "names" are long.
        raise RecordProblem("unexpected leads", shorten(error.message, 3 * _GLANCE, placeholder=" ...")) from error
    absent = [lead for position, lead in enumerate(LEADS) if position not in found]
    if absent:
        raise RecordProblem("unexpected leads", f"{name}: {', '.join(absent)} missing; found {', '.join(names)}")
    return [found[position] for position in range(len(LEADS))]


def _where(message: str, names: tuple[str, ...]) -> str:
    """Arrow's message with the lead's name for the number of its column, and lines counted from 1."""
    match = _CELL.match(message)
    return f"line {match[2]}, column {names[int(match[1])]}: {match[3]}" if match else message


def _read(path: str, name: str) -> bytes:
    try:
        with open(path, "rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise RecordProblem("missing file", f"no {name}") from error
    except OSError as error:
        raise RecordProblem("unreadable file", f"{name}: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise RecordProblem("unreadable file", f"{name}: larger than {MAX_BYTES // 2**20} MiB")
    return raw


def _parse(raw: bytes, names: tuple[str, ...], columns: list[int], name: str) -> np.ndarray:
    """The columns at these positions of a text of any kind; says what is wrong with it."""
    # Names of the reader's own: those of the file may repeat.
    own = [f"{number + 1}" for number in range(len(names))]
    wanted = [own[column] for column in columns]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(raw),
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=len(raw) + 1, column_names=own, skip_rows=1),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.float64()), include_columns=wanted, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise RecordProblem("malformed table", f"{name}: {_where(first_line(error), names)}") from error
    return np.stack([column.to_numpy() for column in table.columns], axis=1)
