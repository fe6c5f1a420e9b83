"""The Hugging Face Trainer with this benchmark's loss, learning rates, order of records and record-level metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import EvalPrediction, TrainerState

from hf_ecg_bench.models.losses import masked_loss, valid_counts
from hf_ecg_bench.models.param_groups import param_groups
from hf_ecg_bench.training.loop.batches import RECORD, EvaluationSet
from hf_ecg_bench.training.loop.early_stopping import EarlyStopping
from hf_ecg_bench.training.loop.predicting import record_predictions
from hf_ecg_bench.training.loop.resumable import ResumableTrainer

Metrics = Callable[[np.ndarray, np.ndarray], dict[str, float]]


class EcgTrainer(ResumableTrainer):
    """A Trainer whose optimizer step does not depend on how its batch is split over micro-batches and processes.

    Args:
        is_regression: (targets,) bool; the other targets are yes/no.
        layer_factors: learning-rate factors of head, late and early layers.
        record_metrics: function of (targets, predictions) per record, for model selection.
        positive_weights, focal_gamma: of the loss (see `masked_loss`).
        early_stopping: ends training early, or None.
    """

    def __init__(
        self,
        *,
        is_regression: torch.Tensor,
        layer_factors: tuple[float, float, float],
        record_metrics: Metrics | None = None,
        positive_weights: torch.Tensor | None = None,
        focal_gamma: float = 0.0,
        early_stopping: EarlyStopping | None = None,
        **kwargs: Any,
    ) -> None:
        self.is_regression = is_regression
        self.layer_factors = layer_factors
        self.record_metrics = record_metrics
        self.positive_weights, self.focal_gamma = positive_weights, focal_gamma
        self.early_stopping = early_stopping
        self.phase: Callable[[str], AbstractContextManager[Any]] = nullcontext  # set by who measures a run's phases
        super().__init__(compute_metrics=self._score if record_metrics else None, **kwargs)
        # The loss below is normalised over the whole step: the Trainer must not divide it again.
        self.loss_is_scaled_for_ga = True
        if early_stopping is not None:
            self.add_callback(early_stopping)

    # ---- optimisation -------------------------------------------------------------------------------------------

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW over the head, late and early groups; weight decay on every trained parameter, as in the paper."""
        assert self.model is not None
        if self.optimizer is None:
            groups = param_groups(
                self.model, self.args.learning_rate, self.args.weight_decay, factors=self.layer_factors
            )
            self.optimizer = torch.optim.AdamW(groups, lr=self.args.learning_rate, fused=True)
        return self.optimizer

    def get_batch_samples(self, epoch_iterator: Iterator, num_batches: int, device: torch.device) -> tuple[list, Any]:
        """The micro-batches of one step, and the present values per target over all of them and all ranks."""
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        if not batches:
            return batches, None
        counts = torch.stack([valid_counts(batch["labels"]) for batch in batches]).sum(0).to(device)
        return batches, self.sum_over_processes(counts, batches)

    def _get_grad_norm(self, model: torch.nn.Module, grad_norm: Any = None) -> Any:
        # Without clipping the norm is only logged, for an eighth of a step on stored features.
        return None if grad_norm is None and self.args.max_grad_norm == 0 else super()._get_grad_norm(model, grad_norm)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Masked cross-entropy plus absolute error, normalised over the whole optimizer step."""
        inputs = dict(inputs)
        inputs.pop(RECORD, None)
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        mask = self.is_regression.to(outputs.logits.device)
        loss = masked_loss(
            outputs.logits, labels, mask, num_items_in_batch if model.training else None,
            positive_weights=self.positive_weights, focal_gamma=self.focal_gamma,
        )  # fmt: skip
        if model.training and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # gradients are averaged over processes
        return (loss, outputs) if return_outputs else loss

    # ---- a whole run ----------------------------------------------------------------------------------------------

    def _before_resuming(self, checkpoint: Path) -> None:
        if self.early_stopping is not None:
            state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
            if self.early_stopping.reason(state.log_history):  # it had stopped: only the best epoch is to be loaded
                self.args.num_train_epochs = round(state.epoch or 0)

    def window_logits(self, windows: EvaluationSet) -> np.ndarray:
        """(windows, targets) outputs of the model, before any sigmoid."""
        scoring, self.compute_metrics = self.compute_metrics, None  # scored by the caller, with intervals
        try:
            return np.asarray(self.predict(windows, metric_key_prefix="test").predictions)  # type: ignore[arg-type]
        finally:
            self.compute_metrics = scoring

    @property
    def precision(self) -> str:
        """What the matrix products ran in."""
        return "fp16" if self.args.fp16 else "bf16" if self.args.bf16 else "fp32"

    def epochs(self) -> list[dict[str, float]]:
        """One entry per epoch: epoch, train_loss, learning_rate and the validation metrics."""
        history: dict[int, dict[str, float]] = {}
        for entry in self.state.log_history:
            row = history.setdefault(round(entry["epoch"]), {"epoch": round(entry["epoch"])})
            if "loss" in entry:
                row |= {"train_loss": entry["loss"], "learning_rate": entry["learning_rate"]}
            for name in ("loss", "macro_auroc", "mae", "composite"):
                if f"eval_{name}" in entry:
                    row[f"validation_{name}"] = entry[f"eval_{name}"]
        return [row for _, row in sorted(history.items()) if len(row) > 1]

    def selection(self, metric: str) -> dict[str, float | int | str | None]:
        """The selecting metric, the best epoch (from 1), its value there, the epochs trained and why no more."""
        steps = self.state.max_steps / self.args.num_train_epochs
        best = self.state.best_global_step
        stopped = self.early_stopping.reason(self.state.log_history) if self.early_stopping is not None else None
        return {
            "metric": metric,
            "best_epoch": round(best / steps) if best else None,
            "best_value": self.state.best_metric,
            "epochs": round(self.state.epoch or 0),
            **({"stopped": stopped} if stopped else {}),
        }

    # ---- evaluation ---------------------------------------------------------------------------------------------

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """As in the Trainer; its time is validation's, not training's."""
        with self.phase("validation"):
            return super().evaluate(*args, **kwargs)

    def evaluation_loop(self, dataloader: Any, *args: Any, **kwargs: Any) -> Any:
        """As in the Trainer; remembers which windows are evaluated, so that their records can be scored."""
        self._evaluated = dataloader.dataset
        return super().evaluation_loop(dataloader, *args, **kwargs)

    def _score(self, prediction: EvalPrediction) -> dict[str, float]:
        assert self.record_metrics is not None
        predictions = record_predictions(
            np.asarray(prediction.predictions), self._evaluated, self.is_regression.numpy()
        )
        return self.record_metrics(self._evaluated.targets, predictions)
