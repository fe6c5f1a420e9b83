"""The training loop's reports to the meter."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from hf_ecg_bench.training.costs.meter import CostMeter


class CostCallback(TrainerCallback):
    """Counts trained records, and writes the cost down beside each checkpoint."""

    def __init__(self, meter: CostMeter) -> None:
        self.meter = meter

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step of all processes and micro-batches."""
        self.meter.trained += args.train_batch_size * args.gradient_accumulation_steps * args.world_size

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The checkpoint is there: what it cost belongs to it."""
        self.meter.save()
