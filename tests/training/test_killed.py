"""Runs that are ended again and again finish with the undisturbed run's result, bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.results.schema import RESULT_FILE
from tests.training.kill_table import Counts, Killer, cases, prepare_inputs
from tests.training.moments import HALF

MAIN = "tests.training.moments:command"


def test_one_run_ended_in_every_phase(zygote, synthetic_folder, tmp_path):
    """Ended in the middle of a checkpoint's file, of an epoch, of validation, of the model's folder, of tidying up."""
    counts = Counts()
    killer = Killer(zygote, cases(synthetic_folder, Path())["scratch"], tmp_path / "runs", counts)
    ends = {
        f"train: {HALF} save": signal.SIGKILL,
        "train: after step": signal.SIGTERM,
        "validation: before prediction_step": signal.SIGKILL,
        "write: before rename": signal.SIGTERM,
        "after write: before rmtree": signal.SIGKILL,
    }
    killer.disturb([{"die_at": moment, "number": int(number)} for moment, number in ends.items()])
    assert counts.complaints == [], counts.table()
    assert counts.kills.total() == len(ends), counts.table()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["prepare", "scratch", "frozen", "lora", "search", "two"])
def test_killed_at_random_moments(zygote, tmp_path, name):
    counts, generator = Counts(), np.random.default_rng(len(name))
    killer = Killer(zygote, cases(*prepare_inputs(tmp_path))[name], tmp_path / "runs", counts)
    while counts.kills.total() < 12:
        killer.disturb(killer.random_plan(generator))
    assert counts.complaints == [], counts.table()


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small file system needs root")
def test_full_disk(zygote, tmp_path):
    """On disks of growing size: refused in words, nothing half-written, and finished where there is room."""
    data, _ = prepare_inputs(tmp_path)
    case, messages = cases(data, Path())["scratch"], []
    disk = tmp_path / "disk"
    disk.mkdir()
    for kilobytes in (16, 64, 128, 256, 512, 640, 768, 896):
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)], capture_output=True, text=True
        )
        if mounted.returncode:
            pytest.skip(f"cannot mount: {mounted.stderr}")
        try:
            child = zygote.start(MAIN, [*case.arguments, "--output-dir", str(disk / "run")])
            code, said = child.wait(), child.said()
            left = list(disk.rglob("*.part"))
            if code == 0:
                assert (disk / "run" / RESULT_FILE).exists()
                continue
            assert code == 2, said
            assert "no space left on the device" in said, said
            assert said.count("fix: free some space") == 1
            assert "same command again" in said
            assert left == []
            for checkpoint in (disk / "run").glob("checkpoints/checkpoint-*"):
                assert (checkpoint / "complete.json").exists()
            messages.append(said.splitlines()[-2])
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            child = zygote.start(MAIN, [*case.arguments, "--output-dir", str(disk / "run")])
            assert child.wait() == 0, child.said()
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    assert len(set(messages)) >= 2, messages
