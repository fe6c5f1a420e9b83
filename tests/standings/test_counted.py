"""Tasks that count in an order over tasks."""

from __future__ import annotations

from typing import Any

import pytest

from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.standings.counted import counted
from hf_ecg_bench.standings.scoring import score_tasks
from tests.standings.fake_grid import write_run

CATEGORIES = {"ptb": "adult_ecg_interpretation", "synthetic": "embedded", "mimic": "joint_training", "odd": "odd"}


def test_invented_joint_and_unknown_tasks_do_not_count_and_are_said():
    standings: dict[str, Any] = dict.fromkeys(CATEGORIES)
    kept, notes = counted(standings, CATEGORIES)
    assert list(kept) == ["ptb"]
    assert notes == [
        "mimic does not count: a training of many tasks at once, whose parts count",
        "odd does not count: this version knows no such task",
        "synthetic does not count: invented data",
    ]
    del standings["ptb"]
    assert counted(standings, CATEGORIES) == (standings, [])


@pytest.mark.parametrize("relative", [True, False])
def test_reasons_name_files_below_the_results(tmp_path, monkeypatch, relative):
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path / "cache"))
    write_run(tmp_path / "results" / "a", model="merl", task="ptb", skill=1.0, n=40)
    (tmp_path / "results" / "a" / "predictions.parquet").write_bytes(b"PAR1")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" if not relative else (tmp_path / "results").relative_to(tmp_path)
    (out,) = score_tasks(read_rows(folder)[0], folder, n_resamples=5)["ptb"].excluded
    assert out.reason.startswith("its predictions cannot be scored: a/predictions.parquet: not a readable Parquet file")
