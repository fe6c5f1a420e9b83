"""A training that is ended at a step, an epoch or by damage goes on to the same numbers."""

from __future__ import annotations

import json
import os
import shutil
import signal

import pytest

from hf_ecg_bench.stopping import Stopped, stops_cleanly
from hf_ecg_bench.training.surviving.checkpoints import MANIFEST, last_complete_checkpoint
from tests.training.small_trainer import outcome, small_trainer


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    trainer = small_trainer(tmp_path_factory.mktemp("whole"))
    assert trainer.fit() is False
    return outcome(trainer)


def ended(folder, monkeypatch, at_step: int, number: int = signal.SIGTERM) -> set[str]:
    """Train until a signal comes at the start of a step; names of the checkpoints that are left."""
    trainer = small_trainer(folder)
    original = trainer.training_step

    def step(*args):
        if trainer.state.global_step == at_step:
            os.kill(os.getpid(), number)
        return original(*args)

    monkeypatch.setattr(trainer, "training_step", step)
    with stops_cleanly(), pytest.raises(Stopped if number == signal.SIGTERM else KeyboardInterrupt):
        trainer.fit()
    return {path.name for path in folder.iterdir() if path.is_dir()}


@pytest.mark.parametrize(
    ("at_step", "left"),
    [
        (0, {"checkpoint-1"}),
        (4, {"checkpoint-3", "checkpoint-5"}),
        # At an epoch's last step the epoch is validated and saved as always, and then it ends.
        (2, {"checkpoint-3"}),
    ],
)
def test_stopped_at_a_step(tmp_path, monkeypatch, undisturbed, at_step, left):
    assert ended(tmp_path, monkeypatch, at_step) == left
    again = small_trainer(tmp_path)
    assert again.fit() is True
    assert outcome(again) == undisturbed


def test_stopped_at_several_steps_in_a_moved_folder(tmp_path, monkeypatch, undisturbed):
    ended(tmp_path / "here", monkeypatch, 1, signal.SIGINT)
    ended(tmp_path / "here", monkeypatch, 4)
    shutil.move(tmp_path / "here", tmp_path / "there")
    again = small_trainer(tmp_path / "there")
    assert again.fit() is True
    assert outcome(again) == undisturbed


def test_signal_after_the_last_step_is_not_lost(tmp_path, monkeypatch):
    ended(tmp_path, monkeypatch, 8)
    again = small_trainer(tmp_path)
    assert again.fit() is True
    assert again.state.global_step == 9


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A folder whose training was ended in its second epoch."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("stopped")
        ended(folder, patch, 4)
    return folder


@pytest.fixture
def left(stopped, tmp_path):
    """A copy of it."""
    return shutil.copytree(stopped, tmp_path / "left")


@pytest.mark.parametrize("file", ["optimizer.pt", "model.safetensors", "rng_state.pth", "progress_0.json"])
@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
def test_damaged_checkpoint(left, file, how):
    path = left / "checkpoint-5" / file
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] + (b"" if how == "cut" else b"?" * (len(content) // 2)))
    said: list[str] = []
    assert last_complete_checkpoint(left, said.append) == left / "checkpoint-3"
    assert file in said[0]
    assert "damaged" in said[0]


def test_goes_on_from_the_one_before_a_damaged_checkpoint(left, undisturbed):
    (left / "checkpoint-5" / "optimizer.pt").write_bytes(b"")
    again = small_trainer(left)
    assert again.fit() is True
    assert outcome(again) == undisturbed


def test_without_the_best_epochs_weights_it_starts_again(left, undisturbed):
    (left / "checkpoint-3" / "model.safetensors").write_bytes(b"")
    again = small_trainer(left)
    assert again.fit() is False
    assert outcome(again) == undisturbed


def test_unfinished_folders_are_no_checkpoints_and_go(left):
    unfinished = left / "checkpoint-9"
    shutil.copytree(left / "checkpoint-5", unfinished)
    (unfinished / MANIFEST).unlink()
    (left / "checkpoint-notes").mkdir()
    trainer = small_trainer(left)
    assert trainer._last_checkpoint() == left / "checkpoint-5"
    assert {path.name for path in left.iterdir()} == {"checkpoint-3", "checkpoint-5", "checkpoint-notes"}


def test_another_number_of_processes_is_said(left):
    manifest = left / "checkpoint-5" / MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "processes": 4}))
    trainer, said = small_trainer(left), []
    trainer.say = said.append
    trainer._last_checkpoint()
    assert "4 processes, this one on 1" in said[0]


def test_a_full_disk_leaves_no_part_of_a_checkpoint(tmp_path, monkeypatch):
    import torch

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    trainer = small_trainer(tmp_path)
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        trainer.fit()
    assert list(tmp_path.glob("checkpoint-*")) == []
