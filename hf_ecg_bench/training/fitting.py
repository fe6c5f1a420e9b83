"""Training a feed's module: by the Trainer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hf_ecg_bench.training.batches import EvaluationSet
from hf_ecg_bench.training.feeding import Feed
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.reporting import Say
from hf_ecg_bench.training.trainer_setup import build_trainer


@dataclass
class Fitted:
    """A trained module: `feed.model` now has the selected epoch's weights.

    Attributes:
        logits: (windows, targets) outputs for an evaluation set, before any sigmoid.
        history: one dict per epoch.
        selection: {metric, best_epoch, best_value} and what else was chosen on validation.
        precision: what the matrix products ran in.
        resumed: whether an earlier start was gone on with.
        chosen: hyperparameters that were chosen on the way (a searched learning rate, a halved batch), as JSON.
    """

    logits: Callable[[EvaluationSet], np.ndarray]
    history: list[dict[str, float]]
    selection: dict[str, Any]
    precision: str
    resumed: bool
    chosen: dict[str, Any] = field(default_factory=dict)


def fit(inputs: Inputs, feed: Feed, say: Say) -> Fitted:
    """Train `feed.module` and leave the best epoch's weights in it."""
    trainer = build_trainer(inputs, feed, say)
    resumed = trainer.fit()
    return Fitted(
        trainer.window_logits,
        trainer.epochs(),
        trainer.selection(inputs.task.selection),
        trainer.precision,
        resumed,
    )
