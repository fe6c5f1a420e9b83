"""An entry's runs on a task: their seeds averaged, resample by resample, and kept for the next time."""

from __future__ import annotations

import hashlib
import json
import warnings
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.evaluation.intervals import percentile_interval
from hf_ecg_bench.files import atomic_path
from hf_ecg_bench.models.cache import cache_root
from hf_ecg_bench.standings.run_scores import Scored, TestSet

Floats = NDArray[np.float64]
# Raised whenever scores of the same predictions would come out otherwise.
_VERSION = 1


@dataclass(frozen=True, eq=False)
class Cell:
    """The runs of an entry on a task that share their test records.

    Attributes:
        runs: positions among the entry's runs.
        values: (runs,) of each; `samples`: (B,) their mean in every shared resample.
        target_value, target_low, target_high: (t,) mean over the runs with its 95 % interval.
    """

    test: TestSet
    runs: tuple[int, ...]
    values: Floats
    samples: Floats
    target_value: Floats
    target_low: Floats
    target_high: Floats


class Averaging:
    """Adds up runs one after the other: sums of resamples are kept, no predictions."""

    def __init__(self) -> None:
        self._sums: list[tuple[TestSet, list[int], list[float], Floats, Floats, Floats]] = []

    def add(self, run: int, scored: Scored) -> None:
        """Take in run number `run` of the entry."""
        for test, runs, values, samples, target_value, target_samples in self._sums:
            if test.same(scored.test):
                runs.append(run)
                values.append(scored.value)
                samples += scored.samples
                target_value += scored.target_value
                target_samples += scored.target_samples
                return
        copies = scored.samples.copy(), scored.target_value.copy(), scored.target_samples.copy()
        self._sums.append((scored.test, [run], [scored.value], *copies))

    def cells(self) -> list[Cell]:
        """One cell per set of test records; those with most runs first."""
        found = []
        for test, runs, values, samples, target_value, target_samples in self._sums:
            n = len(runs)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "All-NaN slice")
                low, high = percentile_interval(target_samples / n, 0.95)
            found.append(Cell(test, tuple(runs), np.array(values), samples / n, target_value / n, low, high))
        return sorted(found, key=lambda cell: (-len(cell.runs), cell.runs))


def cell_file(task: str, metric: str, digests: Sequence[str], n_resamples: int, seed: int, part_of: str) -> Path:
    """Where cells are kept: named by everything that they depend on."""
    facts = [_VERSION, task, metric, list(digests), n_resamples, seed, part_of]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return cache_root() / "standings" / key[:2] / f"{key}.npz"


def write_cells(path: Path, cells: Sequence[Cell]) -> None:
    """Keep cells; a cache that cannot be written costs time alone."""
    arrays: dict[str, Any] = {}
    for i, cell in enumerate(cells):
        test = cell.test
        texts = [test.digest, test.n, test.unit, test.names, test.kinds, cell.runs]
        arrays[f"{i}.facts"] = np.frombuffer(json.dumps(texts).encode(), dtype=np.uint8)
        for name in ("known", "positive", "mean", "sd"):
            arrays[f"{i}.{name}"] = getattr(test, name)
        for name in _ARRAYS:
            arrays[f"{i}.{name}"] = getattr(cell, name)
    # A full disk, a cache of somebody else's, or `cache prune` meanwhile.
    with suppress(OSError, EcgBenchError), atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, number=len(cells), **arrays)


_ARRAYS = ("values", "samples", "target_value", "target_low", "target_high")


def read_cells(path: Path) -> list[Cell] | None:
    """What was kept, or None where there is nothing that can be read."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            cells = []
            for i in range(int(file["number"])):
                digest, n, unit, names, kinds, runs = json.loads(file[f"{i}.facts"].tobytes())
                facts = [file[f"{i}.{name}"] for name in ("known", "positive", "mean", "sd")]
                test = TestSet(digest, n, unit, tuple(names), tuple(kinds), *facts)
                cells.append(Cell(test, tuple(runs), *(file[f"{i}.{name}"] for name in _ARRAYS)))
            return cells
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
