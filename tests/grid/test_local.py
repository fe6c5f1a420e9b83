"""Cells in processes: started, failed, killed, gone on with. Real processes, small networks."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hf_ecg_bench.grid.claims import birth, read_claim
from hf_ecg_bench.grid.command import command_of
from hf_ecg_bench.grid.failures import read_failure
from hf_ecg_bench.grid.folder import cell_folder, read_plan
from tests.grid.small import write_grid

pytestmark = pytest.mark.slow


def command(spec: Path, folder: Path, *further: str) -> list[str]:
    return [sys.executable, "-m", "hf_ecg_bench", "grid", str(spec), "--output-dir", str(folder), *further]


def call(*words, **environment):
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(words, capture_output=True, text=True, env=env, timeout=280)


def cells_of(done) -> dict[str, dict]:
    return {cell["id"]: cell for cell in json.loads(done.stdout)["cells"]}


def digests(folder: Path) -> dict[str, tuple[int, str]]:
    """Time of the last change and digest of every file of finished runs."""
    found = {}
    for result in folder.rglob("result.json"):
        for file in result.parent.rglob("*"):
            if file.is_file():
                found[str(file)] = (file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).hexdigest())
    return found


def test_failed_cells_do_not_stop_the_others_and_are_tried_again_when_asked(tmp_path, synthetic_folder):
    models = [
        {"name": "good", "architecture": "s4", "model_options": {"hidden_size": 8, "n_layers": 1}},
        {"name": "bad", "architecture": "s4", "model_options": {"hidden_size": 7.5}},
    ]
    spec = write_grid(tmp_path / "g.yaml", models=models, data={"synthetic": str(synthetic_folder)}, seeds=[0, 1])
    done = call(*command(spec, tmp_path / "grid", "--workers", "2", "--json"))
    cells = cells_of(done)
    states = {name: cell["state"] for name, cell in cells.items()}
    assert [state for name, state in states.items() if name.startswith("good")] == ["done", "done"], done.stderr
    assert [state for name, state in states.items() if name.startswith("bad")] == ["failed", "failed"]
    assert done.returncode in (1, 2)
    failed = next(cell for cell in cells.values() if cell["state"] == "failed")
    assert failed["failure"]["message"]
    assert failed["failure"]["command"].startswith("hf-ecg-bench run --model s4")
    assert failed["failure"]["traceback"]
    log = cell_folder(tmp_path / "grid", failed["id"]) / "log.txt"
    assert failed["failure"]["kind"] in log.read_text(encoding="utf-8")

    before = digests(tmp_path / "grid")
    first = failed["failure"]["when"]
    again = call(*command(spec, tmp_path / "grid", "--json"))
    assert cells_of(again)[failed["id"]]["failure"]["when"] == first
    once_more = call(*command(spec, tmp_path / "grid", "--retry-failed", "--json"))
    assert cells_of(once_more)[failed["id"]]["failure"]["when"] > first
    assert digests(tmp_path / "grid") == before


def test_stale_cells_are_left_alone_until_they_are_set_aside(tmp_path, synthetic_folder):
    from hf_ecg_bench.results.run_folder import find_results

    spec = write_grid(tmp_path / "g.yaml", data={"synthetic": str(synthetic_folder)})
    assert call(*command(spec, tmp_path / "grid")).returncode == 0
    write_grid(spec, data={"synthetic": str(synthetic_folder)}, hyperparameters={"epochs": 1, "batch_size": 32})
    refused = call(*command(spec, tmp_path / "grid"))
    assert refused.returncode == 2
    assert "--rerun-stale" in refused.stderr
    assert "epochs was 2, is 1" in refused.stdout
    assert call(*command(spec, tmp_path / "grid", "--rerun-stale")).returncode == 0
    (old,) = (tmp_path / "grid" / "stale").rglob("result.json")
    assert json.loads(old.read_text())["hyperparameters"]["epochs"] == 2
    (new,) = find_results(tmp_path / "grid")  # reports do not mix them
    assert json.loads((new / "result.json").read_text())["hyperparameters"]["epochs"] == 1


def started(folder: Path, process, seconds=120.0) -> dict[str, int]:
    """Process ids of the cells at work, once there are some whose run has begun."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the grid ended before it was killed"
        if (folder / "grid.json").exists():
            plan, _ = read_plan(folder)
            claims = {cell.id: read_claim(cell_folder(folder, cell.id)) for cell in plan.cells}
            alive = {name: claim.pid for name, claim in claims.items() if claim is not None}
            begun = [cell for cell in plan.cells if list(cell.run.output_dir.rglob("complete.json"))]
            if alive and begun and any(folder.rglob("result.json")):
                return alive
        time.sleep(0.05)
    raise AssertionError("no cell began")


def wait_until_gone(pids, seconds=40.0) -> None:
    end = time.monotonic() + seconds
    while any(birth(pid) for pid in pids):
        assert time.monotonic() < end, "a worker outlived its grid"
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["group", "grid", "launcher", "term"])
def test_killed_and_started_again_nothing_is_lost(tmp_path, synthetic_folder, how):
    values = {"data": {"synthetic": str(synthetic_folder)}, "seeds": [0, 1, 2, 3]}
    spec = write_grid(tmp_path / "g.yaml", hyperparameters={"epochs": 12, "batch_size": 32}, **values)
    folder = tmp_path / "grid"
    with open(tmp_path / "out.txt", "w") as out:
        process = subprocess.Popen(
            command(spec, folder, "--workers", "1"), env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    pids = started(folder, process)
    children = [int(p) for p in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    if how == "group":
        os.killpg(process.pid, signal.SIGKILL)
    elif how == "launcher":
        os.kill(children[0], signal.SIGKILL)
    else:
        os.kill(process.pid, signal.SIGKILL if how == "grid" else signal.SIGTERM)
    wait_until_gone([*pids.values(), *children])
    code = process.wait(timeout=200)
    said = (tmp_path / "out.txt").read_text()
    if how == "launcher":  # the grid starts another one and goes on by itself
        assert code == 0, said
    else:
        assert code == (143 if how == "term" else -signal.SIGKILL), said
        kept = digests(folder)
        assert kept
        done = call(*command(spec, folder, "--workers", "2", "--json"))
        assert done.returncode == 0, done.stderr
        after = digests(folder)
        assert {name: after[name] for name in kept} == kept
        assert {cell["state"] for cell in cells_of(done).values()} == {"done"}
    # Gone on with from its own checkpoints, not begun again; and the same numbers as without a kill.
    resumed = [json.loads(file.read_text()) for file in folder.rglob("result.json")]
    assert any(result["environment"]["resumed"] for result in resumed)
    quiet = tmp_path / "quiet"
    one = next(r for r in resumed if r["environment"]["resumed"])
    single = next(item for item in read_plan(folder)[0].cells if item.run.seed == one["seed"])
    words = shlex.split(command_of(replace(single.run, output_dir=quiet)))
    assert call(sys.executable, "-m", "hf_ecg_bench", *words[1:]).returncode == 0
    assert json.loads((quiet / "result.json").read_text())["metrics"] == one["metrics"]


def test_a_killed_cell_is_a_failed_cell(tmp_path, synthetic_folder):
    values = {"data": {"synthetic": str(synthetic_folder)}, "seeds": [0, 1]}
    spec = write_grid(tmp_path / "g.yaml", hyperparameters={"epochs": 12, "batch_size": 32}, **values)
    folder = tmp_path / "grid"
    process = subprocess.Popen(
        command(spec, folder, "--workers", "1"), env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    end = time.monotonic() + 100
    claim = None
    while claim is None and time.monotonic() < end:
        plan = read_plan(folder)[0] if (folder / "grid.json").exists() else None
        claim = read_claim(cell_folder(folder, plan.cells[0].id)) if plan else None
        time.sleep(0.02)
    assert claim is not None
    os.kill(claim.pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 1, said
    failure = read_failure(cell_folder(folder, plan.cells[0].id))
    assert failure is not None
    assert "killed by signal 9" in failure.message
    assert "1 done, 1 failed" in said
    assert call(*command(spec, folder, "--retry-failed")).returncode == 0


def test_cells_start_afresh_where_forking_is_not_safe(tmp_path, synthetic_folder):
    from hf_ecg_bench.grid.local import compute_locally
    from hf_ecg_bench.grid.machine import make_workers
    from hf_ecg_bench.grid.payload import to_json
    from hf_ecg_bench.grid.reading import read_grid
    from hf_ecg_bench.grid.run import plan_grid

    spec = write_grid(tmp_path / "g.yaml", data={"synthetic": str(synthetic_folder)})
    situation = plan_grid(read_grid(spec), tmp_path / "grid")
    ended = []

    def order(cell):
        return {
            "grid": str(situation.folder), "cell": cell.id, "run": to_json(cell.run), "identity": "x", "command": "c",
        }  # fmt: skip

    compute_locally(
        situation.plan.cells, make_workers(1, 1, []), order, lambda cell, seconds: ended.append(cell.id),
        grid=situation.folder, warm=False,
    )  # fmt: skip
    assert ended == [cell.id for cell in situation.plan.cells]
    assert {item.state.state for item in situation.again().seen} == {"done"}
