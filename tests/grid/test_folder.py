"""What stands in a grid's folder: claims, failures, facts about cells, and what the commands say of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import DataError, EcgBenchError
from hf_ecg_bench.files import dumps_json, write_json
from hf_ecg_bench.grid import claims, counting
from hf_ecg_bench.grid.estimates import counting_key
from hf_ecg_bench.grid.failures import failure_of, read_failure, write_failure
from hf_ecg_bench.grid.folder import cell_folder, other_runs, read_plan, run_folder, write_plan
from hf_ecg_bench.grid.inputs import UNKNOWN, expected_identity, local_inputs
from hf_ecg_bench.grid.launcher import foreign_threads
from hf_ecg_bench.grid.logs import epochs_of, read_end
from hf_ecg_bench.grid.plan import expand
from hf_ecg_bench.grid.reading import read_grid
from hf_ecg_bench.grid.run import plan_grid, set_stale_aside, to_compute
from hf_ecg_bench.grid.spec import GridSpec, ModelEntry
from hf_ecg_bench.grid.survey import failure_identity
from hf_ecg_bench.results.run_folder import find_results
from tests.grid.small import write_grid


def finish(situation, number):
    """Make the cell look finished."""
    item = situation.seen[number]
    folder = run_folder(situation.folder, item.cell.id)
    write_json(folder / "run.json", expected_identity(item.cell.run, situation.inputs[item.cell.id]))
    write_json(folder / "result.json", {"schema_version": 1})
    (folder / "predictions.parquet").write_bytes(b"x")
    return folder


@pytest.fixture
def situation(tmp_path, synthetic_folder):
    spec = write_grid(tmp_path / "g.yaml", data={"synthetic": str(synthetic_folder)}, seeds=[0, 1, 2, 3])
    return plan_grid(read_grid(spec), tmp_path / "grid")


def states(situation):
    return [item.state.state for item in situation.again().seen]


def test_states_from_files(situation, synthetic_folder):
    folder = situation.folder
    assert states(situation) == ["missing"] * 4
    first = finish(situation, 0)
    (first / "result.json").write_text("{")
    assert states(situation)[0] == "stale"
    finish(situation, 0)
    assert states(situation)[0] == "done"
    (first / "predictions.parquet").unlink()
    assert "predictions.parquet is missing" in situation.again().seen[0].state.reason
    finish(situation, 0)

    second = situation.seen[1].cell
    identity = failure_identity(second, situation.inputs[second.id])
    write_failure(cell_folder(folder, second.id), failure_of(DataError("no data", fix="get some"), "run x", identity))
    assert states(situation) == ["done", "failed", "missing", "missing"]
    assert [cell.run.seed for cell in to_compute(situation.again().seen, retry_failed=False)] == [2, 3]
    assert [cell.run.seed for cell in to_compute(situation.again().seen, retry_failed=True)] == [1, 2, 3]

    third = cell_folder(folder, situation.seen[2].cell.id)
    with claims.claimed(third):
        assert states(situation)[2] == "running"
    assert states(situation)[2] == "missing"
    claims.write_queued(cell_folder(folder, situation.seen[3].cell.id), "12_3")
    assert states(situation)[3] == "queued"


def test_stale_runs_are_moved_and_no_results_any_more(situation):
    folder = finish(situation, 0)
    finish(situation, 1)
    write_plan(situation.folder, situation.plan, situation.inputs, "x")
    identity = json.loads((folder / "run.json").read_text())
    write_json(folder / "run.json", {**identity, "n_resamples": 7})
    found = set_stale_aside(situation.again())
    assert [item.state.state for item in found.seen] == ["missing", "done", "missing", "missing"]
    (kept,) = (situation.folder / "stale").rglob("run.json")
    assert json.loads(kept.read_text())["n_resamples"] == 7
    assert len(find_results(situation.folder)) == 1
    assert find_results(situation.folder / "stale") == [kept.parent]  # on purpose


def test_runs_of_another_file_are_counted(situation):
    finish(situation, 0)
    finish(situation, 1)
    fewer = replace(situation.plan, cells=situation.plan.cells[1:])
    assert other_runs(situation.folder, situation.plan) == []
    assert other_runs(situation.folder, fewer) == [situation.plan.cells[0].id]


def test_claims_of_dead_processes_are_nobodys(tmp_path):
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    here = claims.socket.gethostname()
    dead = claims.Claim(here, int(done.stdout), "123", time.time(), beat=time.time())
    mine = claims.Claim(here, os.getpid(), claims.birth(os.getpid()), time.time(), beat=0.0)
    assert not claims.is_alive(dead, time.time())
    assert claims.is_alive(mine, time.time())
    assert not claims.is_alive(claims.Claim(here, os.getpid(), "1", 0.0), 0.0)  # the number, of another process
    elsewhere = claims.Claim("another-host", 7, "1", 0.0, beat=1000.0)
    assert claims.is_alive(elsewhere, 1000.0 + claims.PATIENCE - 1)
    assert not claims.is_alive(elsewhere, 1000.0 + claims.PATIENCE + 1)
    (tmp_path / "claim.json").write_text("[]")
    assert claims.read_claim(tmp_path) is None


def test_failures_are_read_back_and_damaged_ones_are_none(tmp_path):
    try:
        raise DataError("what", fix="how")
    except DataError as error:
        failure = failure_of(error, "hf-ecg-bench run", "digest")
    write_failure(tmp_path, failure)
    assert read_failure(tmp_path) == failure
    assert (failure.kind, failure.message, failure.fix, failure.is_mistake) == ("DataError", "what", "how", True)
    assert any("raise DataError" in line for line in failure.traceback)
    assert not failure_of(ValueError("x"), "c", "i").is_mistake
    (tmp_path / "failure.json").write_text('{"kind": 3}')
    assert read_failure(tmp_path) is None


def test_inputs_that_are_not_here_are_unknown_and_nothing_is_fetched(tmp_path, hub):
    before = len(hub.requests) if hasattr(hub, "requests") else None
    models = (ModelEntry("a", "somebody/model"), ModelEntry("s4", "s4", "s4"))
    plan = expand(GridSpec(models, ("sph",), ("linear", "scratch")), tmp_path)
    found = [local_inputs(plan.cells)[cell.id] for cell in plan.cells]
    assert found == [{"dataset": None, "model": UNKNOWN}, {"dataset": None, "model": None}]
    if before is not None:
        assert len(hub.requests) == before


def test_cells_stay_in_their_folder(tmp_path):
    with pytest.raises(EcgBenchError, match="points outside"):
        cell_folder(tmp_path, "../../x")
    (tmp_path / "grid.json").write_text(json.dumps({"version": 1, "cells": [{"id": "../x"}]}))
    with pytest.raises(EcgBenchError, match="cannot be read"):
        read_plan(tmp_path)
    (tmp_path / "grid.json").write_text(json.dumps({"version": 9}))
    with pytest.raises(EcgBenchError, match="of version 9"):
        read_plan(tmp_path)


def test_foreign_threads_forbid_to_fork(tmp_path):
    for number, name in ((os.getpid(), "python"), (1, "jemalloc_bg_thd")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "comm").write_text(f"{name}\n")
    assert foreign_threads(tmp_path) == []
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "comm").write_text("pool\n")
    assert foreign_threads(tmp_path) == ["pool"]
    assert foreign_threads(tmp_path / "absent") == ["unknown"]


def test_epochs_from_a_log(tmp_path):
    (tmp_path / "log.txt").write_text("epoch 1/5: loss 3\nx\nepoch 2/5: loss 2\n")
    assert epochs_of(read_end(tmp_path / "log.txt")) == [(1, 5), (2, 5)]
    assert read_end(tmp_path / "none.txt") == ""


@pytest.mark.slow
def test_models_that_never_ran_are_counted(situation, tmp_path, capsys):
    assert main(["grid", str(tmp_path / "g.yaml"), "--output-dir", str(tmp_path / "grid"), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cost"]["unknown"] == 0
    assert 0 < told["cost"]["low"] < told["cost"]["seconds"] < told["cost"]["high"]
    assert all("operations counted" in cell["estimate"]["basis"] for cell in told["cells"])
    assert all(cell["estimate"]["bytes"] > 0 for cell in told["cells"])


def test_dry_run_and_status_write_nothing_and_say_the_plan(situation, tmp_path, capsys, monkeypatch):
    known = counting.Counted(1e6, 2.5, 1000, 8, 5)
    monkeypatch.setattr(counting, "count", lambda cells, say: {counting_key(cell): known for cell in cells})
    monkeypatch.setattr(counting, "machine_rate", lambda: (1e9, "a rate"))
    finish(situation, 0)
    before = sorted(tmp_path.rglob("*"))
    assert main(["grid", str(tmp_path / "g.yaml"), "--output-dir", str(tmp_path / "grid"), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [cell["state"] for cell in told["cells"]] == ["done", "missing", "missing", "missing"]
    assert told["cost"]["seconds"] > 0
    assert told["cost"]["low"] < told["cost"]["seconds"] < told["cost"]["high"]
    assert sorted(tmp_path.rglob("*")) == before
    assert main(["status", str(tmp_path / "grid")]) == 2
    assert "holds no grid" in capsys.readouterr().err

    write_plan(situation.folder, situation.plan, situation.inputs, "x")
    cell = situation.seen[1].cell
    with claims.claimed(cell_folder(situation.folder, cell.id)):
        (cell_folder(situation.folder, cell.id) / "log.txt").write_text("--- now\nepoch 1/2: loss\n")
        assert main(["status", str(tmp_path / "grid")]) == 0
        out = capsys.readouterr().out
        assert "4 runs: 1 done, 1 running, 2 missing" in out
        assert "1 of 2" in out
        assert main(["status", str(tmp_path / "grid"), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
    assert told["counts"] == {"done": 1, "running": 1, "missing": 2}
    assert told["cells"][1]["progress"]["epochs"] == 2


def test_a_second_grid_is_refused(situation, tmp_path, capsys):
    from filelock import FileLock

    situation.folder.mkdir()
    with FileLock(situation.folder / ".grid.lock"):
        assert main(["grid", str(tmp_path / "g.yaml"), "--output-dir", str(situation.folder)]) == 2
    assert "another `grid` works on" in capsys.readouterr().err


def test_untrusted_text_of_errors_stays_on_its_line(situation, tmp_path, capsys):
    cell = situation.seen[0].cell
    failure = failure_of(DataError("bad\n\x1b[31mred"), "c", failure_identity(cell, situation.inputs[cell.id]))
    write_failure(cell_folder(situation.folder, cell.id), failure)
    write_plan(situation.folder, situation.plan, situation.inputs, "x")
    main(["status", str(situation.folder)])
    out = capsys.readouterr().out
    assert "bad" in out
    assert "\x1b[31m" not in out


def test_records_are_plain_json(situation):
    assert json.loads(dumps_json(asdict(situation.seen[0].state))) == {"state": "missing", "reason": ""}
