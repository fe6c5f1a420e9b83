"""A grid small enough for tests."""

from __future__ import annotations

from pathlib import Path

import yaml

SMALL = {
    "models": [{"name": "small", "architecture": "s4", "model_options": {"hidden_size": 8, "n_layers": 1}}],
    "tasks": ["synthetic"],
    "modes": ["scratch"],
    "hyperparameters": {"epochs": 2, "batch_size": 32},
    "n_resamples": 20,
    "examples": 1,
}


def write_grid(path: Path, **changes: object) -> Path:
    """A grid file: the small one with top-level entries replaced (None: left out)."""
    values = {key: value for key, value in {**SMALL, **changes}.items() if value is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path
