"""Finished trials of a search, on disk: what they came to, and the weights of the best."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from hf_ecg_bench.files import atomic_path, write_json
from hf_ecg_bench.training.surviving.state import TRIAL_FILE

_WEIGHTS_FILE = "best.safetensors"


@dataclass(frozen=True)
class Trial:
    """One finished training of a search.

    Attributes:
        learning_rate: what it was about.
        history, selection, precision, chosen, notes: as in `Fitted`.
        diverged: what was found where the training broke down, or None.
    """

    learning_rate: float
    history: list[dict[str, float]] = field(default_factory=list)
    selection: dict[str, Any] = field(default_factory=dict)
    precision: str = ""
    chosen: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    diverged: str | None = None

    @property
    def best_value(self) -> float:
        """Of the selecting metric, at the best epoch."""
        return float(self.selection["best_value"])

    def summary(self) -> dict[str, Any]:
        """What the result says of it."""
        if self.diverged is not None:
            return {"learning_rate": self.learning_rate, "diverged": self.diverged}
        known = {name: self.selection.get(name) for name in ("best_epoch", "best_value", "epochs")}
        return {"learning_rate": self.learning_rate, **known}


def rate_name(rate: float) -> str:
    """The folder of a rate's checkpoints: `rate-1e-03`, with as many digits as the rate needs."""
    for digits in range(18):
        text = f"{rate:.{digits}e}"
        if float(text) == rate:
            break
    return f"rate-{text}"


def save_trial(folder: Path, trial: Trial, weights: dict[str, Tensor]) -> None:
    """Write the weights, then the trial, each atomically: the trial's file says that it is finished."""
    if trial.diverged is None:
        with atomic_path(folder / _WEIGHTS_FILE) as temporary:
            save_file(weights, temporary)
    write_json(folder / TRIAL_FILE, asdict(trial))


def load_trial(folder: Path) -> Trial | None:
    """The finished trial of that folder, or None."""
    file = folder / TRIAL_FILE
    return Trial(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def load_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of a trial that was not beaten."""
    return load_file(folder / _WEIGHTS_FILE)


def drop_weights(folder: Path) -> None:
    """Forget a beaten trial's weights."""
    (folder / _WEIGHTS_FILE).unlink(missing_ok=True)
