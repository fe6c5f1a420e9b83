"""Rows of run folders: every task of a run, and results that are not what they should be."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.results.row_files import read_row_file, write_rows
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, RESULT_FILE
from hf_ecg_bench.standings.entry import entries_of
from tests.results.fake_run import make_run

SMALL = {"n": 60, "examples": 0, "n_resamples": 20}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    make_run(tmp_path / "a" / "seed-0", **SMALL)
    part = make_run(tmp_path / "part", labels=("SR", "AFIB"), **SMALL).metrics
    none = {"metrics": {"n": 0}, "n_excluded": 60}
    make_run(
        tmp_path / "b",
        model="ecg_fm",
        task="ptbxl_all",
        dataset={"id": "ptbxl", "digest": "ab" * 32, "records": {"train": 40}},
        mode="linear",
        slices={"ptbxl_rhythm": {"metrics": part, "n_excluded": 0}, "ptbxl_form": none},
        **SMALL,
    )
    return tmp_path


def test_one_row_per_task_of_a_run(runs: Path, tmp_path: Path) -> None:
    rows, unreadable = read_rows(runs)
    assert not unreadable
    assert [(row.folder, row.task, row.trained_as) for row in rows] == [
        ("a/seed-0", "synthetic", ""),
        ("b", "ptbxl_all", ""),
        ("b", "ptbxl_rhythm", "ptbxl_all"),
        ("part", "synthetic", ""),
    ]
    whole, rhythm = rows[1:3]
    assert (whole.n_targets, rhythm.n_targets) == (8, 2)
    assert (whole.category, whole.contamination) == ("adult_ecg_interpretation", "test_records")
    assert rhythm.contamination == "test_records"
    assert whole.low <= whole.value <= whole.high
    assert whole.predictions_digest == sha256_file(runs / "b" / PREDICTIONS_FILE)
    assert math.isnan(whole.latency_ms)
    assert list(map(repr, read_row_file(write_rows(rows, tmp_path / "rows.parquet")))) == list(map(repr, rows))


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": {"id": "ptbxl", "records": [1, 2]}},
        {"cost": {"train_seconds": 10**400, "parameters": "many", "latency_ms": True}},
        {"environment": {"packages": ["x"]}},
        {"model": {"id": ["x"], "members": [1, {"id": "s4"}]}},
    ],
)
def test_odd_facts_are_not_known(runs: Path, changes: dict) -> None:
    edit(runs / "b", **changes)
    rows, unreadable = read_rows(runs)
    assert not unreadable
    odd = next(row for row in rows if row.folder == "b")
    unknown = {"dataset": odd.records_train, "cost": odd.train_seconds}.get(next(iter(changes)), math.nan)
    assert math.isnan(unknown)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"subset": ["nested"]}, "subset: expected dict"),
        ({"slices": 3}, "slices: expected dict"),
        ({"trained_as": 3}, "trained_as: expected str or null"),
        ({"fraction": "all"}, "fraction: expected number"),
        ({"metrics": {}}, "metrics"),
        ({"mode": "line\x1b[2J"}, "mode: expected a text without control characters"),
        ({"protocol": "x" * 20_000}, "protocol: expected at most 10000 characters"),
        ({"fraction": 3.0}, "fraction: expected a share"),
        ({"metrics": {"metrics": {}}}, "no metrics"),
        ({"schema_version": 99}, "version 99"),
    ],
)
def test_a_broken_result_stops_no_other(runs: Path, changes: dict, said: str) -> None:
    edit(runs / "b", **changes)
    rows, unreadable = read_rows(runs)
    assert [row.folder for row in rows] == ["a/seed-0", "part"]
    [broken] = unreadable
    assert broken.name == "b"
    assert said in broken.reason
    assert str(runs) not in broken.reason


def test_a_repeated_slip_is_another_entry(runs: Path) -> None:
    file = runs / "b" / RESULT_FILE
    raw = json.loads(file.read_text())
    raw["hyperparameters"]["fault"] = "unloaded_weights"
    file.write_text(json.dumps(raw))
    rows, _ = read_rows(runs)
    own = [row for row in rows if row.folder == "b"]
    assert {row.protocol for row in own} == {"paper, fault unloaded_weights"}
    assert {entries_of(rows)(row).key for row in own} == {"ecg_fm/linear/paper, fault unloaded_weights"}


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(EcgBenchError, match=f"no {RESULT_FILE}"):
        read_rows(tmp_path)
    (tmp_path / RESULT_FILE).write_text("[" * 100_000)
    rows, [broken] = read_rows(tmp_path)
    assert not rows
    assert "not JSON" in broken.reason


def edit(folder: Path, **changes: object) -> None:
    file = folder / RESULT_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
