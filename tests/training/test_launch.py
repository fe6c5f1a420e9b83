"""Two processes: the same optimizer step, the same windows, the same evaluation, one result, one voice."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader

from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.training.loop.batches import EpochSampler, TrainingWindows, collate
from tests.conftest import ROOT
from tests.training.launched import RUN

MAIN = "tests.training.moments:command"


def ended(children) -> list[int]:
    """Exit codes; as a launcher does, the others are ended when one has failed."""
    codes = [child.wait() for child in children]
    assert codes == [0] * len(codes), "\n".join(child.said() for child in children)
    return codes


def test_two_processes_take_the_same_step(zygote, tmp_path):
    from tests.training.test_step import weights_after

    ended(zygote.launch("tests.training.launched:steps", str(tmp_path)))
    launched = np.load(tmp_path / "weights.npz")
    assert int(launched["world_size"]) == 2
    for name, value in weights_after(tmp_path, 16, 1).items():
        np.testing.assert_allclose(launched[name], value.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(("rows", "batch_size"), [(23, 4), (9, 16)])  # an uneven last batch; less than one each
def test_two_processes_evaluate_alike(zygote, tmp_path, rows, batch_size):
    found = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        ended(zygote.launch("tests.training.launched:evaluate", str(folder), rows, batch_size, processes=processes))
        found[processes] = np.load(folder / "logits.npz")
    assert len(found[2]["logits"]) == rows, "each window once"
    np.testing.assert_allclose(found[2]["logits"], found[1]["logits"], atol=1e-6)
    one, two = (json.loads(str(found[number]["metrics"])) for number in (1, 2))
    assert one == pytest.approx(two, abs=1e-6)
    if rows > 2 * batch_size:  # else one batch is filled up for both
        assert int(found[2]["read"]) < 0.8 * int(found[1]["read"]), "each process reads its share"


def test_a_signal_to_one_process_ends_both_at_the_same_step(zygote, tmp_path):
    """Only the process that was signalled knows; both make a checkpoint, and go on from it to the same numbers."""
    ended(zygote.launch("tests.training.launched:stop", str(tmp_path / "whole"), -1))
    first = zygote.launch("tests.training.launched:stop", str(tmp_path / "stopped"), 3)
    assert [child.wait() for child in first] == [143, 143], "\n".join(child.said() for child in first)
    assert (tmp_path / "stopped" / "checkpoint-5" / "complete.json").exists()
    ended(zygote.launch("tests.training.launched:stop", str(tmp_path / "stopped"), -1))
    whole, stopped = (torch.load(tmp_path / name / "outcome.pt", weights_only=True) for name in ("whole", "stopped"))
    assert stopped.pop("resumed")
    assert not whole.pop("resumed")
    assert stopped == whole


def test_two_processes_make_one_run(zygote, synthetic_folder, tmp_path):
    from hf_ecg_bench.results.schema import Result

    arguments = [*RUN, "--json", "--data", str(synthetic_folder), "--output-dir"]
    (alone,) = zygote.launch(MAIN, [*arguments, str(tmp_path / "one")], processes=1)
    first, second = zygote.launch(MAIN, [*arguments, str(tmp_path / "two")])
    ended([alone, first, second])
    assert second.said() == "", "one process speaks"
    assert "epoch 2/2" in first.said()
    one, two = (Result.load(tmp_path / name) for name in ("one", "two"))
    assert (one.environment["processes"], two.environment["processes"]) == (1, 2)
    before, after = read_predictions(tmp_path / "one"), read_predictions(tmp_path / "two")
    assert before.record_id.tolist() == after.record_id.tolist()
    np.testing.assert_allclose(before.predictions, after.predictions, atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch-size", "31"], "a batch of 31 cannot be divided over 2 processes"),
        (["--epochs", "3"], "holds another run: hyperparameters.epochs is 2 there and 3 here"),
    ],
)
def test_a_mistake_is_said_once(zygote, synthetic_folder, tmp_path, arguments, message):
    """Of those that only the first process can find, too; and nobody waits for the launcher to end it."""
    out = tmp_path / "run"
    if "--epochs" in arguments:
        out.mkdir()
        (child,) = zygote.launch("tests.training.launched:claim", str(out), str(synthetic_folder), processes=1)
        assert child.wait() == 0, child.said()
    first, second = zygote.launch(MAIN, [*RUN, "--data", str(synthetic_folder), "--output-dir", str(out), *arguments])
    assert first.wait() == 2
    second.signal(15)  # the launcher
    assert second.wait() == -15
    assert first.said().count(message) == 1
    assert second.said() == ""


def test_every_process_learns_the_epoch():
    """accelerate tells only the sampler where there are several processes; the windows depend on the epoch too."""
    windows = TrainingWindows.__new__(TrainingWindows)
    windows.records, windows.epoch = np.arange(8), 0
    loader = DataLoader(windows, batch_size=2, sampler=EpochSampler(windows, 4, seed=0), collate_fn=collate)
    prepare_data_loader(loader, num_processes=2, process_index=1).set_epoch(5)
    assert windows.epoch == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"],
        [
            "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes=2", "--num_machines=1",
            "--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0",
        ],
    ],
    ids=["torchrun", "accelerate"],
)  # fmt: skip
def test_launchers_start_two(synthetic_folder, tmp_path, launcher):
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *launcher, "-m", "hf_ecg_bench", *RUN, "--json", "--data", str(synthetic_folder)]
    done = subprocess.run(
        [*command, "--output-dir", str(tmp_path / "run")],
        env=environment, timeout=280, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch 2/2") == 1
    assert "[rank1]" not in done.stderr
    assert json.loads(done.stdout)["n"] > 0, "one process prints, and only JSON"
    assert json.loads((tmp_path / "run" / "result.json").read_text())["environment"]["processes"] == 2
