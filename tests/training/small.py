"""A run small enough for tests: a narrow S4 on the embedded data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_ecg_bench.training.spec import RunSpec


def small_spec(folder: Path, output_dir: Path, **changes: Any) -> RunSpec:
    """Two epochs of a 16-wide S4."""
    overrides = {"epochs": 2, "batch_size": 32, "learning_rate": 1e-2, **changes.pop("overrides", {})}
    values: dict[str, Any] = {
        "model": "s4",
        "task": "synthetic",
        "mode": "scratch",
        "output_dir": output_dir,
        "data": str(folder),
        "overrides": overrides,
        "model_options": {"hidden_size": 16, "n_layers": 1},
        "n_resamples": 50,
        "examples": 2,
    }
    return RunSpec(**{**values, **changes})
