"""Several processes fill one store; one of them killed in the middle changes nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from hf_ecg_bench.features.extract import Encoder
from hf_ecg_bench.features.filling import BLOCK_LOCKS, sweep
from hf_ecg_bench.features.locks import BlockLocks

_FORK = multiprocessing.get_context("fork")


def extract(case, computed, seconds: float) -> None:
    """In a child process: open the store, slowly."""
    torch.set_num_threads(1)
    forward = Encoder._forward

    def slow(self, windows):
        time.sleep(seconds)
        return forward(self, windows)

    Encoder._forward = slow
    stored = case.open(crops=2)
    computed.put((os.getpid(), stored.computed))


def start(case, computed, seconds: float = 0.02):
    """A child that extracts."""
    child = _FORK.Process(target=extract, args=(case, computed, seconds))
    child.start()
    return child


def content(folder: Path) -> dict[str, bytes]:
    """The block files."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("block-*.npy"))}


def wait_for(condition, seconds: float = 20.0) -> None:
    """Until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_two_processes_share_the_work_of_one(case, cache, monkeypatch):
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(cache / "alone"))
    alone = case.open(crops=2)
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(cache / "two"))
    computed = _FORK.Queue()
    children = [start(case, computed) for _ in range(2)]
    shares = [computed.get(timeout=30)[1] for _ in children]
    for child in children:
        child.join(30)
    assert min(shares) > 0
    assert sum(shares) == len(alone), "no block was computed twice"
    assert content(cache / "two" / "features" / alone.key.digest) == content(alone.folder)


@pytest.mark.parametrize("moment", [0.0, 0.03, 0.1])
def test_killed_in_the_middle_then_two_others_finish(case, cache, monkeypatch, moment):
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(cache / "alone"))
    alone = case.open(crops=2)
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(cache / "killed"))
    folder = cache / "killed" / "features" / alone.key.digest
    computed = _FORK.Queue()
    victim = start(case, computed, 0.05)
    other = start(case, computed)
    wait_for(lambda: list(folder.glob(".block-*.part")))
    time.sleep(moment)
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(30)
    late = start(case, computed)
    shares = dict(computed.get(timeout=30) for _ in range(2))
    for child in (other, late):
        child.join(30)
    assert set(shares) == {other.pid, late.pid}
    stored = case.open(crops=2)
    assert stored.computed == 0
    assert content(folder) == content(alone.folder)
    assert np.array_equal(stored.read(np.arange(len(stored))), alone.read(np.arange(len(alone))))
    assert not list(folder.glob(".block-*.part"))


def test_the_unfinished_file_of_a_living_process_stays(tmp_path):
    mine = tmp_path / ".block-00003.npy.abc.part"
    mine.write_bytes(b"half")
    ready, done = _FORK.Event(), _FORK.Event()

    def hold():
        with BlockLocks(tmp_path / BLOCK_LOCKS) as locks:
            assert locks.take(3)
            ready.set()
            done.wait(20)

    child = _FORK.Process(target=hold)
    child.start()
    assert ready.wait(20)
    with BlockLocks(tmp_path / BLOCK_LOCKS) as locks:
        assert not locks.take(3)
        assert locks.take(4)
        sweep(tmp_path, locks)
        assert mine.exists()
        done.set()
        child.join(20)
        sweep(tmp_path, locks)
        assert not mine.exists()
