"""SLURM through submitit: what is submitted, against a fake sbatch on the PATH and submitit's own executors."""

from __future__ import annotations

import json
import os
import time

import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.grid import slurm
from hf_ecg_bench.grid.claims import read_claim
from hf_ecg_bench.grid.folder import cell_folder
from hf_ecg_bench.grid.payload import to_json
from hf_ecg_bench.grid.plan import expand
from hf_ecg_bench.grid.reading import read_grid
from hf_ecg_bench.grid.run import plan_grid
from hf_ecg_bench.grid.spec import GridSpec, ModelEntry, Slurm
from tests.grid.small import write_grid
from tests.support.fake_slurm import install

pytest.importorskip("submitit", reason="submitit is not installed")


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A fake SLURM on the PATH."""
    folder = tmp_path / "cluster"
    commands = install(folder)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(slurm, "POLL", 0.2)
    return folder


def orders_of(folder):
    return lambda cell: {
        "grid": str(folder), "cell": cell.id, "run": to_json(cell.run), "identity": "x", "command": "c",
    }  # fmt: skip


def test_arrays_let_the_first_of_a_store_go_ahead(tmp_path):
    models = (ModelEntry("ecg_fm", "ecg_fm", "ecg_fm"),)
    cells = expand(GridSpec(models, ("sph", "georgia"), ("linear", "finetune"), seeds=(0, 1)), tmp_path).cells
    first, alone, later = slurm.arrays(cells)
    assert [cell.run.task for cell in first] == ["sph", "georgia"]
    assert {cell.run.mode for cell in alone} == {"finetune"}
    assert [(cell.run.task, cell.run.seed) for cell in later] == [("sph", 1), ("georgia", 1)]


def test_the_batch_file_asks_for_what_the_file_says(cluster, tmp_path):
    (cluster / "hold").touch()
    spec = write_grid(
        tmp_path / "g.yaml", seeds=[0, 1, 2],
        executor={
            "kind": "slurm", "partition": "gpu", "account": "heart", "minutes": 90, "memory_gb": 32, "cpus": 8,
            "gpus": 1, "parallel": 2, "setup": ["module load cuda"], "extra": {"nice": 5},
        },
    )  # fmt: skip
    assert main(["grid", str(spec), "--output-dir", str(tmp_path / "grid"), "--no-wait"]) == 0
    text = (cluster / "100.sh").read_text()
    for line in (
        *("--partition=gpu", "--account=heart", "--time=90", "--mem=32GB", "--cpus-per-task=8", "--gpus-per-node=1"),
        *("--array=0-2%2", "--nice=5", "--job-name=hf-ecg-bench"),
    ):
        assert f"#SBATCH {line}" in text.replace("'", ""), text
    assert "\nmodule load cuda\n" in text

    jobs = slurm.read_jobs(tmp_path / "grid")
    assert sorted(jobs.values()) == ["100_0", "100_1", "100_2"]
    assert main(["grid", str(spec), "--output-dir", str(tmp_path / "grid"), "--no-wait"]) == 0
    assert not (cluster / "101.sh").exists()  # what waits is not submitted again

    os.system("scancel 100_1")  # is submitted again, alone
    assert main(["grid", str(spec), "--output-dir", str(tmp_path / "grid"), "--no-wait"]) == 0
    assert "--array" not in (cluster / "101.sh").read_text()
    assert sorted(slurm.read_jobs(tmp_path / "grid").values()) == ["100_0", "100_2", "101"]
    os.system("scancel 100; scancel 101")
    (cluster / "hold").unlink()


def test_a_refused_submission_leaves_nothing_behind(cluster, tmp_path, capsys):
    (cluster / "refuse").touch()
    spec = write_grid(tmp_path / "g.yaml")
    assert main(["grid", str(spec), "--output-dir", str(tmp_path / "grid"), "--executor", "slurm"]) == 2
    assert "SLURM takes no jobs" in capsys.readouterr().err
    (cell,) = plan_grid(read_grid(spec), tmp_path / "grid").seen
    assert cell.state.state == "missing"


def test_no_cluster_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    spec = write_grid(tmp_path / "g.yaml")
    assert main(["grid", str(spec), "--output-dir", str(tmp_path / "grid"), "--executor", "slurm"]) == 2
    assert "--executor local" in capsys.readouterr().err
    with pytest.raises(EcgBenchError, match="squeue cannot be asked"):
        slurm.listed_jobs()


def test_a_job_that_is_gone_is_a_failed_cell(cluster, tmp_path, monkeypatch, capsys):
    (cluster / "hold").touch()
    spec = write_grid(tmp_path / "g.yaml")
    looks = []

    def cancelled():
        looks.append(os.system("scancel 100"))
        return set()

    monkeypatch.setattr(slurm, "listed_jobs", cancelled)
    monkeypatch.setattr(slurm, "POLL", 0.01)
    assert main(["grid", str(spec), "--output-dir", str(tmp_path / "grid"), "--executor", "slurm", "--json"]) == 1
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    assert cell["state"] == "failed"
    assert "job 100 is gone" in cell["reason"]
    (cluster / "hold").unlink()


@pytest.mark.slow
def test_a_grid_on_the_fake_cluster(cluster, tmp_path, synthetic_folder, capsys):
    models = [
        {"name": "good", "architecture": "s4", "model_options": {"hidden_size": 8, "n_layers": 1}},
        {"name": "bad", "architecture": "s4", "model_options": {"hidden_size": 7.5}},
    ]
    spec = write_grid(
        tmp_path / "g.yaml", models=models, data={"synthetic": str(synthetic_folder)},
        executor={"kind": "slurm", "cells_per_job": 1},
    )  # fmt: skip
    folder = tmp_path / "grid"
    code = main(["grid", str(spec), "--output-dir", str(folder), "--json"])
    states = {cell["model"]: cell for cell in json.loads(capsys.readouterr().out)["cells"]}
    assert (states["good"]["state"], states["bad"]["state"]) == ("done", "failed")
    assert code in (1, 2)
    assert states["bad"]["failure"]["traceback"]
    assert "epoch 2/2" in (cell_folder(folder, states["good"]["id"]) / "log.txt").read_text()
    assert read_claim(cell_folder(folder, states["good"]["id"])) is None


@pytest.mark.slow
def test_followers_wait_for_the_features_of_the_first(cluster, tmp_path, synthetic_folder, capsys):
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    save_model(load_model("s4", pretrained=False, seed=0, hidden_size=8, n_layers=1), tmp_path / "weights")
    spec = write_grid(
        tmp_path / "g.yaml", models=["weights"], modes=["linear"], seeds=[0, 1],
        data={"synthetic": str(synthetic_folder)},
    )  # fmt: skip
    folder = tmp_path / "grid"
    assert main(["grid", str(spec), "--output-dir", str(folder), "--executor", "slurm"]) == 0
    assert "afterany:100" in (cluster / "101.sh").read_text()
    assert (cluster / "order.txt").read_text().startswith("100\n")
    results = {r["seed"]: r for r in (json.loads(f.read_text()) for f in folder.rglob("result.json"))}
    assert results[0]["features"]["extracted"] > 0
    assert results[1]["features"]["extracted"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["local", "debug"])
def test_submitits_own_executors(tmp_path, synthetic_folder, kind):
    spec = write_grid(tmp_path / "g.yaml", data={"synthetic": str(synthetic_folder)}, seeds=[0, 1])
    situation = plan_grid(read_grid(spec), tmp_path / "grid")
    options = Slurm(cells_per_job=2)
    jobs = slurm.submit(situation.plan.cells, options, orders_of(situation.folder), situation.folder, cluster=kind)
    assert len({job.job_id for job in jobs.values()}) == 1
    (job,) = {job.job_id: job for job in jobs.values()}.values()
    end = time.monotonic() + 120
    while not job.done() and time.monotonic() < end:
        time.sleep(0.2)
    assert job.result() == [0, 0]
    assert {item.state.state for item in situation.again().seen} == {"done"}
