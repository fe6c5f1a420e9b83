"""Made-up rows: candidates of known quality on tasks of known level."""

from __future__ import annotations

from typing import Any

import numpy as np

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.scale import from_scale

QUALITY = {("ecg_cpc", "finetune"): 0.3, ("merl", "linear"): 0.1, ("ecg_jepa", "frozen"): -0.1, ("s4", "scratch"): -0.3}
DATASETS = ("ptb", "ningbo", "cpsc2018", "georgia", "sph", "code15")


def row(model: str, mode: str, task: str, value: float, **changes: Any) -> Row:
    """A row of ours on a task called like its dataset."""
    values: dict[str, Any] = {
        "category": "adult_ecg_interpretation",
        "dataset": task,
        "metric": "macro_auroc",
        "contamination": "none",
        "records_train": 1000.0,
    }
    return Row(model=model, mode=mode, task=task, value=value, **{**values, **changes})


def grid(noise: float = 0.02, seed: int = 0, tasks: tuple[str, ...] = DATASETS, **changes: Any) -> list[Row]:
    """Every candidate on every task."""
    random = np.random.default_rng(seed)
    rows = []
    for task in tasks:
        level = random.uniform(1.5, 2.3)
        for (model, mode), quality in QUALITY.items():
            value = float(from_scale(level + quality + noise * random.standard_normal(), "auroc"))
            rows.append(row(model, mode, task, value, **changes))
    return rows
