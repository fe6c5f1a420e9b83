"""Finished runs on PTB-XL made of invented numbers, as a submission would be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.results.schema import Result
from tests.results.fake_run import make_run

CLASSES = get_dataset_spec("ptbxl").label_columns["labels_super"]


def ptbxl_run(folder: Path, **changes: Any) -> Result:
    """A run on ptbxl_super whose result follows from its predictions."""
    records = {"train": 2400, "validation": 300, "test": changes.get("n", 120)}
    dataset = {"id": "ptbxl", "source": "ecg-bench/ptbxl", "digest": "5f3c" * 16, "records": records}
    settings: dict[str, Any] = {"task": "ptbxl_super", "labels": CLASSES, "n": 120, "examples": 0}
    return make_run(folder, **{**settings, "n_resamples": 100, "dataset": dataset, **changes})
