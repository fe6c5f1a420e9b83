"""Files of the tiny dataset: `records.json` and `signals.npy`, written and read (builder modules touch no files)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.data.ledger import RecordProblem

SAMPLES = 100


def signals(n: int, seed: int = 0) -> np.ndarray:
    """(n, 100, 12) float32 mV in whole microvolts."""
    return (np.random.default_rng(seed).integers(-2000, 2000, (n, SAMPLES, 12)) / 1000).astype(np.float32)


def records(n: int) -> list[dict[str, Any]]:
    """Two records of each patient; folds 1 to 10."""
    return [
        {
            "id": f"r{number:03d}",
            "patient": f"p{number // 2}",
            "age": 20.0 + number,
            "sex": ("female", "male", None)[number % 3],
            "fold": number // 2 % 10 + 1,
            "labels": [["A"], ["A", "B"], []][number % 3],
            "targets": [float(number), float("nan") if number % 4 else 1.0],
            "words": [f"w{number}"],
        }
        for number in range(n)
    ]


def write_tiny(root: Path, rows: list[dict[str, Any]], values: np.ndarray) -> Path:
    """The source as files; returns its folder."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "records.json").write_text(json.dumps(rows))
    np.save(root / "signals.npy", values)
    return root


def read_rows(root: str) -> list[dict[str, Any]]:
    return list(json.loads((Path(root) / "records.json").read_text()))


def read_signal(reference: tuple[str, int]) -> np.ndarray:
    root, number = reference
    signal = np.load(Path(root) / "signals.npy", mmap_mode="r")[number]
    if np.isnan(signal).all():
        raise RecordProblem("unreadable", "all samples are missing")
    return np.array(signal)
