"""The ranks of a launch share the extraction, also when all of them are killed in the middle of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hf_ecg_bench.results.predictions import read_predictions
from tests.features.conftest import FOUNDER

ROOT = Path(__file__).resolve().parents[2]


def launch(model: Path, data: Path, output_dir: Path, cache: Path) -> subprocess.Popen[bytes]:
    """Two ranks of a `run` in a session of their own."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
        "-m", "hf_ecg_bench", "run", "--model", str(model), "--task", "synthetic", "--mode", "linear",
        "--data", str(data),
        "--output-dir", str(output_dir), "--epochs", "2", "--batch-size", "32", "--n-resamples", "50",
    ]  # fmt: skip
    env = {
        **os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT),
        "HF_ECG_BENCH_CACHE": str(cache),
    }  # fmt: skip
    return subprocess.Popen(
        command, env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def blocks(cache: Path) -> dict[str, bytes]:
    """All block files by store and name."""
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in cache.glob("features/*/block-*.npy")}


@pytest.mark.slow
def test_a_killed_launch_goes_on_to_the_undisturbed_result(synthetic_folder, tmp_path):
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    model = save_model(load_model("ecg_founder", pretrained=False, seed=0, **FOUNDER), tmp_path / "founder")
    alone, killed = tmp_path / "cache-alone", tmp_path / "cache-killed"
    assert launch(model, synthetic_folder, tmp_path / "alone", alone).wait(300) == 0
    first = launch(model, synthetic_folder, tmp_path / "killed", killed)
    end = time.monotonic() + 120
    while len(blocks(killed)) < 20:
        assert first.poll() is None
        assert time.monotonic() < end
        time.sleep(0.002)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = len(blocks(killed))
    assert kept < len(blocks(alone))
    assert launch(model, synthetic_folder, tmp_path / "killed", killed).wait(300) == 0
    assert blocks(killed) == blocks(alone)
    one, two = (read_predictions(tmp_path / name) for name in ("alone", "killed"))
    assert one.predictions.tobytes() == two.predictions.tobytes()
    features = json.loads((tmp_path / "killed" / "result.json").read_text())["features"]
    assert features["processes"] == 2
