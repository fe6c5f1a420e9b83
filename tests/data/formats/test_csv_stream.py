"""Streamed tables: types, missing cells, and what is said about unusable ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from hf_ecg_bench.data.formats import csv_stream
from hf_ecg_bench.data.formats.csv_stream import stream_csv
from hf_ecg_bench.errors import DataError

COLUMNS = {"id": pa.int64(), "value": pa.float64(), "time": pa.timestamp("s"), "unit": pa.string()}
HEADER = "other,id,time,value,unit,comment\n"


def rows(path: Path, **options: object) -> list[dict]:
    batches = list(stream_csv(path, COLUMNS, fix="-", **options))  # type: ignore[arg-type]
    return pa.Table.from_batches(batches).to_pylist()


def test_columns_by_name_with_types_and_missing_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + 'x,1,2150-01-01 00:00:10,1e2,mg,"a, b\nand a line"\n,2,2150-01-02,NaN,"",\n,3,,,None,\n')
    found = rows(path)
    assert [row["id"] for row in found] == [1, 2, 3]
    assert [row["value"] for row in found] == [100.0, None, None]
    assert [row["unit"] for row in found] == ["mg", None, None]
    assert [row["time"] and row["time"].day for row in found] == [1, 2, None]


def test_gzip_in_several_members_and_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_stream, "BLOCK_BYTES", 2000)
    path = tmp_path / "t.csv.gz"
    lines = "".join(f",{number},,{number / 4},u,\n" for number in range(5000))
    path.write_bytes(gzip.compress(HEADER.encode()) + gzip.compress(lines.encode()))
    assert len(list(stream_csv(path, COLUMNS, fix="-"))) > 10
    assert [row["value"] for row in rows(path)] == [number / 4 for number in range(5000)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "found none"),
        (HEADER, "has no rows"),
        ("id,time\n1,2\n", "no column value, unit; found id, time"),
        (HEADER + ",1,,x,,\n", "column value: .*invalid value 'x'"),
        (HEADER + ",one,,1,,\n", "column id: .*invalid value 'one'"),
        (HEADER + ",1,,1\n", "Expected 6 columns, got 4"),
        (HEADER + ",1,2150-02-30 00:00:00,1,,\n", "column time: .*invalid value '2150-02-30"),
    ],
)
def test_unusable_tables(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        rows(path)


def test_text_that_is_not_utf8_and_files_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(HEADER.encode() + b",1,,1,\xff\xfe,\n")
    with pytest.raises(DataError, match=r"column unit: .*invalid UTF8"):
        rows(path)
    for name in ("absent.csv", "absent.csv.gz"):
        with pytest.raises(DataError, match=f"no {name} in"):
            rows(tmp_path / name)


def test_required_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + ",1,,,,\n,,,,,\n")
    with pytest.raises(DataError, match="a row without id"):
        rows(path, required=("id",))
