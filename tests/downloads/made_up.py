"""A made-up open dataset, for tests of its download."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.data.origins import Origin, PhysioNet, Zenodo
from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.downloads import Retry
from hf_ecg_bench.downloads.originals import Downloaded, download

RANDOM = np.random.default_rng(0)
FILES = {f"records/{number:02d}.dat": RANDOM.bytes(3000 + 1000 * number) for number in range(12)} | {"t.csv": b"a\n1\n"}
ZENODO, PHYSIONET = Zenodo("12"), PhysioNet("p", "1.0")
FAST = Retry(attempts=3, wait=0.01, longest=0.2)


def spec(*origins: Origin, **changes: Any) -> DatasetSpec:
    """Its declaration."""
    return replace(get_dataset_spec("ptbxl"), id="made_up", origins=origins, **changes)


def get(raw: Path, *origins: Origin, **arguments: Any) -> Downloaded:
    """Download it, without long waits."""
    return download(spec(*origins), raw, **{"retry": FAST, **arguments})


def tree(folder: Path) -> dict[str, bytes]:
    """The files of a raw folder, without what the download remembers."""
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith(".ecg_bench_download")}
