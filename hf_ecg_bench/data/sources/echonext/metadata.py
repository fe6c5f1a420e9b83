"""EchoNext's metadata table: splits, flags, and which flags rest on a measurement."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from hf_ecg_bench.data.formats.csv_columns import cells, read_columns
from hf_ecg_bench.data.formats.csv_table import number
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.vocabulary import read_label_table
from hf_ecg_bench.errors import DataError

# The release's README spells it EchoNext_..., the file that it ships echonext_...
METADATA = "echonext_metadata_100k.csv"
SPLITS = {"train": "train", "val": "validation", "test": "test"}
NO_SPLIT = "no_split"
FIX = (
    "get access to EchoNext 1.1.0 at https://physionet.org/content/echonext/1.1.0/, download it and pass the folder "
    f"that holds {METADATA}"
)
_MISSING = frozenset({"", "nan", "none", "null"})


@dataclass(frozen=True)
class Metadata:
    """Rows of the table; every list has one entry per row.

    Attributes:
        key, patient, split: as stored; the splits are train, val, test and no_split.
        age, sex: text as stored.
        flags: names of the positive flags.
        measured: per flag in published order whether it rests on a measurement; None where the table does not say.
    """

    key: list[str]
    patient: list[str]
    split: list[str]
    age: list[str]
    sex: list[str]
    flags: list[list[str]]
    measured: list[list[bool | None]]


@lru_cache(maxsize=1)
def measurement_columns() -> dict[str, tuple[str, ...]]:
    """Flag, in published order -> columns with the measurements that it is made from."""
    return {row["label"]: tuple(row["measurement_columns"].split(";")) for row in read_label_table("echonext")}


def flag_names() -> tuple[str, ...]:
    """The eleven flags in published order; the composite flag is none of them."""
    return tuple(measurement_columns())


def find_file(folder: Path, name: str) -> Path:
    """A file by name, whatever its case; `folder / name` if there is none.

    Raises:
        DataError: several names that differ in case only.
    """
    found = sorted(own for own in os.listdir(folder) if own.casefold() == name.casefold())
    if len(found) > 1:
        raise DataError(
            f"{folder} has {' and '.join(found)}; expected one of them", fix="remove or rename the other one"
        )
    return folder / (found[0] if found else name)


def read_metadata(folder: Path, ledger: Ledger) -> Metadata:
    """All rows, in the order of the file.

    Raises:
        DataError: no usable table, or a row in an unknown split: rows are matched to signals by their place.
    """
    path = find_file(folder, METADATA)
    names = flag_names()
    measurements = [column for columns in measurement_columns().values() for column in columns]
    table = read_columns(
        path, ("ecg_key", "patient_key", "split", "age_at_ecg", "sex", *names), optional=measurements, fix=FIX
    )
    absent = [column for column in measurements if column not in table.column_names]
    if absent:
        ledger.note(
            f"{path.name} has no column {', '.join(absent)}: whether these measurements were made is not known "
            "(null in `measured`, unless the flag is set)"
        )
    keys, splits = list(cells(table, "ecg_key")), list(cells(table, "split"))
    for line, split in enumerate(splits, start=2):
        if split not in SPLITS and split != NO_SPLIT:
            raise DataError(
                f"{path} line {line}: split {split!r}, expected {', '.join(SPLITS)} or {NO_SPLIT}; "
                "the rows of a split belong to its signals by their place",
                fix=FIX,
            )
    values = {name: _flags(table, name, keys, ledger) for name in names}
    return Metadata(
        key=keys,
        patient=list(cells(table, "patient_key")),
        split=splits,
        age=list(cells(table, "age_at_ecg")),
        sex=list(cells(table, "sex")),
        flags=[[name for name in names if values[name][row]] for row in range(len(keys))],
        measured=_transposed([_measured(table, name, values[name]) for name in names]),
    )


def _flags(table: pa.Table, name: str, keys: list[str], ledger: Ledger) -> list[bool | None]:
    flags: list[bool | None] = []
    for key, cell in zip(keys, cells(table, name), strict=True):
        value = number(cell)
        if value in (0, 1):
            flags.append(value == 1)
            continue
        flags.append(None)
        if cell.casefold() not in _MISSING:
            ledger.defect(key, "unusable flag (counted as negative)", f"{name} {cell!r}, expected 0 or 1")
    return flags


def _measured(table: pa.Table, name: str, flags: list[bool | None]) -> list[bool | None]:
    """A flag is 0 also where nothing was measured; it is known where it is 1 or one of its measurements is there."""
    present = [column for column in measurement_columns()[name] if column in table.column_names]
    if len(present) < len(measurement_columns()[name]):
        return [None if flag is False else bool(flag) for flag in flags]
    rows = zip(flags, *(cells(table, column) for column in present), strict=True)
    return [flag is not None and (flag or any(cell.casefold() not in _MISSING for cell in own)) for flag, *own in rows]


def _transposed(columns: list[list[bool | None]]) -> list[list[bool | None]]:
    return [list(row) for row in zip(*columns, strict=True)]
