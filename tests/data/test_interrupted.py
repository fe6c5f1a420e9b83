"""A build that was killed: the next one finishes it, byte for byte as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from hf_ecg_bench.data.registry import get_builder
from tests.conftest import ROOT
from tests.data.kill_at_every_write import content


def python(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_every_write(tmp_path: Path, step: int) -> None:
    out, _ = python("-m", "tests.data.kill_at_every_write", str(tmp_path), str(step)).communicate(timeout=300)
    found = json.loads(out.splitlines()[-1])
    assert found["differing"] == []
    # Before and after each file and each shard's report, in an empty folder, and at least one shard in a full one.
    assert found["kills"] * step > 2 * found["files"] + 8


def start(raw: Path, out: Path, num_proc: int = 1) -> subprocess.Popen[str]:
    command = ["-m", "hf_ecg_bench", "prepare", "ptbxl", "--raw-dir", str(raw), "--output-dir", str(out)]
    return python(*command, "--num-proc", str(num_proc))


def wait_for(condition: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    get_builder("ptbxl").example(str(tmp_path / "raw"), 400)
    process = start(tmp_path / "raw", tmp_path / "out", num_proc=2)
    wait_for(lambda: list((tmp_path / "out").glob(".ecg_bench/*-of-*.json")))
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert children
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    get_builder("ptbxl").example(str(raw), 900)
    whole, _ = start(raw, tmp_path / "whole").communicate(timeout=300)
    generator = np.random.default_rng(0)
    killed = 0
    for number in range(18):
        out = tmp_path / f"out{number // 3}"  # three kills in a row, then another folder
        process = start(raw, out, num_proc=1 + number % 2)
        wait_for((out / ".ecg_bench").is_dir) if not out.exists() else time.sleep(1)
        time.sleep(generator.uniform(0, 1.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if number % 3 == 2:
            said, _ = start(raw, out).communicate(timeout=300)
            assert content(out) == content(tmp_path / "whole"), said
            assert said.split(" digest ")[1].split()[0] == whole.split(" digest ")[1].split()[0]
    assert killed >= 12
