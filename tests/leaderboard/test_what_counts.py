"""Where readers see that runs of other settings or weights were not averaged: snapshot, terminal, --json, report."""

from __future__ import annotations

import json

import pytest

from hf_ecg_bench.cli.main import OK, main
from hf_ecg_bench.leaderboard.gathering import gather
from hf_ecg_bench.leaderboard.snapshot import write_snapshot
from hf_ecg_bench.leaderboard.space.board.board import Board
from hf_ecg_bench.leaderboard.space.board.naming import entry_text
from hf_ecg_bench.overview.choices import Choices
from hf_ecg_bench.overview.gaps_part import gap_alerts, gaps_part
from hf_ecg_bench.overview.numbers import study_numbers
from hf_ecg_bench.overview.study import read_study
from tests.standings.fake_grid import write_run

NINE = {"epochs": 9, "batch_size": 64, "learning_rate": 1e-3}
WORDS = "1 with epochs 20); runs with epochs 9 count"


@pytest.fixture(scope="module")
def results_dir(tmp_path_factory):
    """Settings that differ (merl), weights that differ (st_mem), a copy (ecg_fm), a curve of other settings."""
    folder = tmp_path_factory.mktemp("results")
    both = {"task": "ptb", "n": 80, "skill": 1.0}
    write_run(folder / "merl-20", model="merl", **both)
    write_run(folder / "merl-9", model="merl", **{**both, "skill": 1.5}, hyperparameters=NINE)
    write_run(folder / "merl-half", model="merl", **both, fraction=0.5)
    write_run(folder / "merl-half-9", model="merl", **both, fraction=0.5, hyperparameters=NINE)
    for digest in ("1a" * 32, "2b" * 32):
        write_run(folder / f"st_mem-{digest[:2]}", model="st_mem", **both, model_digest=digest)
    for name in ("ecg_fm", "ecg_fm-copy"):
        write_run(folder / name, model="ecg_fm", **both)
    return folder


@pytest.fixture(scope="module")
def results(results_dir):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ECG_BENCH_CACHE", str(results_dir.parent / "cache"))
        return gather(results_dir, published=False, n_resamples=20)


@pytest.fixture(scope="module")
def board(results, tmp_path_factory):
    return Board(write_snapshot(results, tmp_path_factory.mktemp("space") / "data", created="now"))


def test_the_snapshot_names_weights_and_lists_what_is_left_out(board):
    assert {"st_mem/frozen@1a1a1a1a", "st_mem/frozen@2b2b2b2b", "merl/frozen"} <= board.entries.keys()
    shown = board.entry(board.entries["st_mem/frozen@1a1a1a1a"])
    assert shown["weights"] == "1a1a1a1a"
    assert entry_text(board, shown).endswith("weights 1a1a1a1a")
    listed = {item["name"]: item["reason"] for item in board.index["unreadable"]}
    assert "trained with epochs 20" in listed["merl-20"]
    assert "twice" in listed["ecg_fm-copy"]
    assert "not on its curve" in listed["merl-half"]
    assert any(WORDS in reason for reason in listed.values())


def test_every_view_says_it(board):
    notes = board.view("ours-all-keep")["notes"]
    assert any(note.startswith("1 result is left out for other settings") and "merl/frozen" in note for note in notes)
    assert any("st_mem started from different weights (1a1a1a1a, 2b2b2b2b)" in note for note in notes)


def test_curves_and_costs_are_of_the_runs_that_count(board, results):
    (curve,) = board.scaling["ptb"]
    assert curve["entry"] == board.entries["merl/frozen"]
    values = {row.folder: row.value for row in results.rows}
    assert curve["value"] == pytest.approx([values["merl-half-9"], values["merl-9"]], abs=1e-5)


def test_the_terminal_says_it(results_dir, monkeypatch, capsys):
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(results_dir.parent / "cache"))
    common = ["leaderboard", "--results", str(results_dir), "--no-published", "--mode", "all", "--n-resamples", "20"]
    assert main(common) == OK
    out, err = capsys.readouterr()
    assert "frozen, weights 1a1a1a1a" in out
    assert WORDS in err
    assert "1 copy of a result is not counted again" in err
    assert main([*common, "--json"]) == OK
    found = json.loads(capsys.readouterr().out)
    assert [(item["run"], item["kind"]) for item in found["left_out"]] == [
        ("ecg_fm-copy", "copy"),
        ("merl-20", "settings"),
    ]
    assert WORDS in found["task_notes"]["ptb"][0]
    assert {entry["weights"] for entry in found["entries"]} == {"", "1a1a1a1a", "2b2b2b2b"}
    assert any("different weights" in note for note in found["notes"])


def test_the_report_says_it(results_dir, monkeypatch):
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(results_dir.parent / "cache"))
    study = read_study(results_dir, Choices(n_resamples=20))
    alerts = gap_alerts(study)
    assert "Left out: 1 result with other settings than those that count, never averaged." in alerts
    assert "Different weights under one name, each an entry of its own: st_mem." in alerts
    assert not any(alert.startswith("Not ranked") for alert in alerts)
    tables = {table.key: table for block in gaps_part(study).blocks for table in block.tables}
    assert WORDS in tables["chosen"].rows[0][1].text
    assert {row[3].text for row in tables["excluded"].rows} == {"merl-20", "ecg_fm-copy"}
    numbers = study_numbers(study, tables.values())
    assert {cell["weights"] for cell in numbers["cells"]} == {"", "1a1a1a1a", "2b2b2b2b"}
    assert "chosen" in numbers["tables"]
