"""Two processes: the same optimizer step, the same windows, one result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader

from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.training.batches import EpochSampler, TrainingWindows, collate
from tests.training.small import small_spec

ROOT = Path(__file__).resolve().parents[2]


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run on two processes as `accelerate launch` does; rank 0's and rank 1's output together."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *arguments]
    env = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=True, env=env, timeout=280, capture_output=True, text=True)


def test_two_processes_take_the_same_step(tmp_path):
    from tests.training.test_step import weights_after

    launch(str(Path(__file__).with_name("launched_step.py")), str(tmp_path))
    launched = np.load(tmp_path / "weights.npz")
    assert int(launched["world_size"]) == 2
    for name, value in weights_after(tmp_path, 16, 1).items():
        np.testing.assert_allclose(launched[name], value.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


def test_two_processes_make_one_run(synthetic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    alone = small_spec(
        synthetic_folder, tmp_path / "alone", model_options={"hidden_size": 16, "n_layers": 1, "dropout": 0.0}
    )
    run(alone, lambda _: None)
    done = launch(
        "-m", "hf_ecg_bench", "run", "--model", "s4", "--task", "synthetic", "--mode", "scratch", "--json",
        "--data", str(synthetic_folder), "--output-dir", str(tmp_path / "two"), "--epochs", "2", "--batch-size", "32",
        "--learning-rate", "0.01", "--n-resamples", "50", "--model-option", "hidden_size=16",
        "--model-option", "n_layers=1", "--model-option", "dropout=0.0",
    )  # fmt: skip
    assert json.loads(done.stdout)["n"] > 0, "one process prints, and only JSON"
    result = json.loads((tmp_path / "two" / "result.json").read_text())
    assert result["environment"]["processes"] == 2
    one, two = read_predictions(alone.output_dir), read_predictions(tmp_path / "two")
    assert one.record_id.tolist() == two.record_id.tolist()
    np.testing.assert_allclose(one.predictions, two.predictions, atol=2e-3)


def test_every_process_learns_the_epoch():
    """accelerate tells only the sampler where there are several processes; the windows depend on the epoch too."""
    windows = TrainingWindows.__new__(TrainingWindows)
    windows.records, windows.epoch = np.arange(8), 0
    loader = DataLoader(windows, batch_size=2, sampler=EpochSampler(windows, 4, seed=0), collate_fn=collate)
    prepare_data_loader(loader, num_processes=2, process_index=1).set_epoch(5)
    assert windows.epoch == 5
