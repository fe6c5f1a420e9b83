"""Memory of a build as large as the largest dataset."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.data.target_rows import FileArray, TargetRows
from tests.conftest import ROOT


def test_targets_in_a_file_are_read_when_needed(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((50, 7), np.float32)
    values.tofile(tmp_path / "targets.bin")
    mapped = np.memmap(tmp_path / "targets.bin", np.float32, "r+").reshape(50, 7)
    np.save(tmp_path / "targets.npy", values)
    rows = np.array([3, 40, 4])
    for array, first in ((values, 0), (mapped, 0), (mapped[10:], 10), (np.load(tmp_path / "targets.npy", "r"), 0)):
        picked = rows[rows < len(array)]
        targets = TargetRows.of(array, picked)
        assert isinstance(targets.source, FileArray) is (array is not values)
        copy = pickle.loads(pickle.dumps(targets))  # noqa: S301
        assert len(pickle.dumps(targets)) < 800
        for each in (targets, copy):
            np.testing.assert_array_equal(each.read(), values[first:][picked])
            assert len(each) == len(picked)
    mapped[3] = 7  # what was written through the map is read, flushed or not
    assert (TargetRows.of(mapped, rows).read()[0] == 7).all()
    # Every second row is no run of rows in the file.
    assert isinstance(TargetRows.of(mapped[::2], rows[:1]).source, np.ndarray)


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--metadata-only"]])
def test_memory_of_300000_records_with_1127_targets(tmp_path: Path, more: list[str]) -> None:
    command = [sys.executable, "-m", "tests.data.large", str(tmp_path), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    print(found)
    assert found["kept"] == (300_000 if more else 299_000)
    assert found["defects"] == (300_000 if more else 599_000)
    assert found["peak_mib"] < 1024
    assert found["info_mib"] < 10
