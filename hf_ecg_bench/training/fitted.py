"""What training hands on to testing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hf_ecg_bench.training.loop.batches import EvaluationSet


@dataclass
class Fitted:
    """A trained module: `feed.model` now has the selected weights.

    Attributes:
        logits: (windows, targets) outputs for an evaluation set, before any sigmoid.
        history: one dict per epoch (solver `lbfgs`: per strength of the penalty).
        selection: {metric, best_epoch, best_value, epochs} and what else was chosen on validation: `stopped`, why
            training ended before its last epoch; `trials` of a search; `strengths` of the convex solver.
        precision: what the matrix products ran in.
        resumed: whether an earlier start was gone on with.
        chosen: hyperparameters that were chosen on the way (a searched learning rate, a halved batch), as JSON.
        notes: sentences for the result's warnings that only training could know.
    """

    logits: Callable[[EvaluationSet], np.ndarray]
    history: list[dict[str, float]]
    selection: dict[str, Any]
    precision: str
    resumed: bool
    chosen: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
