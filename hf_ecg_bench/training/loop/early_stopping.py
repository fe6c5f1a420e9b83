"""Stopping where validation no longer improves. Read from the logged values alone: a resume changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback

from hf_ecg_bench.saying import Say


def stale_epochs(values: Sequence[float], greater_is_better: bool) -> int:
    """How many epochs passed since the first best one (NaN is never the best)."""
    best, found = None, 0
    for number, value in enumerate(values, 1):
        if value == value and (best is None or (value > best if greater_is_better else value < best)):
            best, found = value, number
    return len(values) - found


class EarlyStopping(TrainerCallback):
    """Ends training after `patience` epochs in a row that were not better than the best one before them.

    Unlike the callback of transformers it keeps no counter: the counter of that one is restored only on request, and
    a run killed between its last checkpoint and its end would be trained on.

    Args:
        metric: the selecting validation metric.
        greater_is_better: about the metric.
        patience: epochs.
        say: receives the line that says why training ended.
    """

    def __init__(self, metric: str, greater_is_better: bool, patience: int, say: Say) -> None:
        self.metric, self.greater, self.patience, self.say = metric, greater_is_better, patience, say

    def reason(self, log_history: Sequence[dict[str, Any]]) -> str | None:
        """Why training is to end after the last logged epoch, or None."""
        values = [float(entry[f"eval_{self.metric}"]) for entry in log_history if f"eval_{self.metric}" in entry]
        if stale_epochs(values, self.greater) < self.patience:
            return None
        known = [value for value in values if value == value]
        best = (max if self.greater else min)(known, default=float("nan"))
        return (
            f"stopped after epoch {len(values)}: no validation {self.metric} better than {best:.4f} "
            f"for {self.patience} epochs"
        )

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask the Trainer to stop; this epoch's checkpoint is still written."""
        if self.reason(state.log_history):
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Say why."""
        reason = self.reason(state.log_history)
        if reason and state.is_world_process_zero:
            self.say(reason)
