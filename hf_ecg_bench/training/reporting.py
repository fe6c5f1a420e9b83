"""One line per epoch for the user, instead of the Trainer's dictionaries."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from hf_ecg_bench.saying import Say


class EpochLines(TrainerCallback):
    """Says after each epoch: its number, the training loss, the validation metric and the best so far.

    Args:
        metric: name of the selecting validation metric.
        say: receives the line.
    """

    def __init__(self, metric: str, say: Say) -> None:
        self.metric, self.say = metric, say
        self.loss: float | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Remember the training loss of the epoch."""
        if logs and "loss" in logs:
            self.loss = float(logs["loss"])

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """After evaluation and checkpoint: the epoch is safe, so say so."""
        values = [entry for entry in state.log_history if f"eval_{self.metric}" in entry]
        if not state.is_world_process_zero or not values:
            return
        loss = "" if self.loss is None else f"loss {self.loss:.4f}, "
        self.say(
            f"epoch {round(state.epoch)}/{round(args.num_train_epochs)}: {loss}"
            f"validation {self.metric} {values[-1][f'eval_{self.metric}']:.4f} (best {state.best_metric:.4f})"
        )
