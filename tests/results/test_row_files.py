"""Rows in files: what comes back is what was written, and nothing else gets in."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.results import row_files
from hf_ecg_bench.results.row import ROW_VERSION, Row
from hf_ecg_bench.results.row_files import SUFFIXES, read_row_file, write_rows

ROW = Row(
    model="ecg_founder",
    task="ptbxl_super",
    category="adult_ecg_interpretation",
    dataset="ptbxl",
    mode="linear",
    metric="macro_auroc",
    value=0.1 + 0.2,
    low=1e-300,
    contamination="test_records",
    contamination_reason='quotes " and commas, <b>tags</b> and = signs; Größe, 心',
    warnings=3,
    folder="a/b c/seed-0",
)
ROWS = [ROW, replace(ROW, higher_is_better=False, value=math.nan, seed=7, origin="published", folder="")]


def lines(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def plain(**changes: object) -> dict[str, object]:
    values = {
        name: None if isinstance(value, float) and math.isnan(value) else value for name, value in asdict(ROW).items()
    }
    return values | changes


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    write_rows(ROWS, path)
    # repr: NaN is not equal to itself, and floats must come back to the last bit
    assert list(map(repr, read_row_file(path))) == list(map(repr, ROWS))
    assert [type(value) for value in asdict(read_row_file(path)[0]).values()] == [
        type(value) for value in asdict(ROW).values()
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_rows(tmp_path: Path, suffix: str) -> None:
    assert read_row_file(write_rows([], tmp_path / f"rows{suffix}")) == []


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ({"value": "0.9"}, "value", "expected a number, found '0.9'"),
        ({"value": True}, "value", "expected a number, found True"),
        ({"value": 10**400}, "value", "expected a number"),
        ({"value": math.inf}, "value", "expected a finite number or nan"),
        ({"seed": 1.0}, "seed", "expected a whole number, found 1.0"),
        ({"model": None}, "model", "expected a text, found None"),
        ({"model": ["s4"]}, "model", "expected a text"),
        ({"model": "s4\x1b[2J"}, "model", "without control characters"),
        ({"model": "x" * 20_000}, "model", "at most 10000 characters"),
        ({"higher_is_better": 1}, "higher_is_better", "expected true or false, found 1"),
        ({"contamination": "no"}, "contamination", "none, same_corpus, test_records, unknown, found 'no'"),
        ({"origin": "theirs"}, "origin", "expected one of ours, published"),
        ({"fraction": 0.0}, "fraction", "a share of the records"),
        ({"fraction": math.nan}, "fraction", "a share of the records"),
        ({"folder": "../../home"}, "folder", "below the folder of results"),
        ({"folder": "/etc"}, "folder", "below the folder of results"),
        ({"folder": "C:\\x"}, "folder", "below the folder of results"),
    ],
)
def test_a_wrong_value_is_named_with_line_and_column(
    tmp_path: Path, changes: dict[str, object], column: str, message: str
) -> None:
    path = lines(tmp_path / "rows.jsonl", plain(), plain(**changes))
    with pytest.raises(PredictionsError, match="line 2, column " + column) as caught:
        read_row_file(path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400  # however long the value is


def test_csv_names_the_line_and_the_column(tmp_path: Path) -> None:
    path = write_rows(ROWS, tmp_path / "rows.csv")
    text = path.read_text().splitlines()
    text[2] = text[2].replace(",false,", ",no,", 1)
    path.write_text("\n".join(text))
    with pytest.raises(PredictionsError, match="line 3, column higher_is_better: expected true or false, found 'no'"):
        read_row_file(path)
    path.write_text("\n".join([text[0], text[1] + ",1"]))
    with pytest.raises(PredictionsError, match=f"line 2 has {len(asdict(ROW)) + 1} values"):
        read_row_file(path)


def test_parquet_checks_types_before_values(tmp_path: Path) -> None:
    path = write_rows(ROWS, tmp_path / "rows.parquet")
    table = pq.read_table(path)
    index = table.column_names.index("seed")
    pq.write_table(table.set_column(index, "seed", pa.array(["0", "7"])), path)
    with pytest.raises(PredictionsError, match="column seed: expected int64, found string"):
        read_row_file(path)
    pq.write_table(table.set_column(index, "seed", pa.array([0, None], pa.int64())), path)
    with pytest.raises(PredictionsError, match="row 2, column seed: expected a whole number, found None"):
        read_row_file(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_that_are_none(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(b"\x93NUMPY\xff\xfe{")
    with pytest.raises(PredictionsError):
        read_row_file(path)
    with pytest.raises(PredictionsError, match="no file"):
        read_row_file(tmp_path / f"other{suffix}")


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with pytest.raises(PredictionsError, match="unknown column 'rank'"):
        read_row_file(lines(path, plain(rank=1)))
    short = plain()
    del short["mode"]
    with pytest.raises(PredictionsError, match="missing column mode"):
        read_row_file(lines(path, short))
    with pytest.raises(PredictionsError, match="line 2: expected an object with every column"):
        read_row_file(lines(path, plain(), short))
    with pytest.raises(PredictionsError, match="rows are kept in"):
        write_rows(ROWS, tmp_path / "rows.pickle")


def test_what_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="row 2, column folder"):
        write_rows([ROW, replace(ROW, folder="../x")], tmp_path / "rows.csv")
    assert not list(tmp_path.iterdir())


def test_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.jsonl"
    with pytest.raises(PredictionsError, match="version 99, this program reads up to") as caught:
        read_row_file(lines(path, plain(row_version=99)))
    assert caught.value.fix == "pip install --upgrade hf-ecg-bench"
    for version in (0, "1", True, None):
        with pytest.raises(PredictionsError, match="row_version: expected a whole number"):
            read_row_file(lines(path, plain(row_version=version)))

    # A later program that renamed a column reads the files of this one.
    def renamed(columns: dict[str, list[object]]) -> dict[str, list[object]]:
        return {("model" if name == "backbone" else name): values for name, values in columns.items()}

    monkeypatch.setattr(row_files, "ROW_VERSION", ROW_VERSION + 1)
    monkeypatch.setattr(row_files, "MIGRATIONS", {**row_files.MIGRATIONS, ROW_VERSION: renamed})
    old = plain(backbone="s4")
    del old["model"]
    [row] = read_row_file(lines(path, old))
    assert (row.model, row.row_version) == ("s4", ROW_VERSION + 1)
    mixed = lines(path, plain(row_version=ROW_VERSION), plain(row_version=ROW_VERSION + 1))
    with pytest.raises(PredictionsError, match=r"line 2.*in one file"):
        read_row_file(mixed)


#: The columns of a version never change: files of it are on other people's disks and on the Hub.
VERSION_1 = """
    model task category dataset mode metric value low high higher_is_better model_source
    model_digest dataset_digest protocol preprocessing fraction seed subset trained_as records_train
    records_test n_targets n_undefined resampling selection_metric selection_value contamination
    contamination_reason parameters trainable_parameters train_seconds evaluate_seconds
    peak_memory_bytes records_per_second latency_ms training_flops energy_joules device origin
    citation audit warnings folder predictions_digest schema_version program row_version
"""


VERSION_2 = VERSION_1.replace(" subset ", " subset settings ")


def test_other_columns_need_another_version() -> None:
    assert ROW_VERSION == 2, "a new version: give it its own list here, and row_files.MIGRATIONS a step to it"
    assert list(asdict(ROW)) == VERSION_2.split(), "raise ROW_VERSION and add a step to row_files.MIGRATIONS"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_version_1_is_read_and_says_nothing_of_settings(tmp_path: Path, suffix: str) -> None:
    columns = VERSION_1.split()
    old = [{name: value for name, value in plain(settings="abc", row_version=1).items() if name in columns}]
    path = tmp_path / f"rows{suffix}"
    if suffix == ".jsonl":
        lines(path, *old)
    elif suffix == ".csv":
        values = ["nan" if v is None else v if isinstance(v, str) else json.dumps(v) for v in old[0].values()]
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([columns, values])
    else:
        write_rows([replace(ROW, settings="")], path)
        table = pq.read_table(path).drop_columns(["settings"])
        version = table.column_names.index("row_version")
        pq.write_table(table.set_column(version, "row_version", pa.array([1], pa.int64())), path)
    [row] = read_row_file(path)
    assert (row.model, row.settings, row.row_version) == (ROW.model, "", ROW_VERSION)


def test_no_rows_of_version_1(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(",".join(VERSION_1.split()) + "\n")
    assert read_row_file(path) == []
