"""A Trainer on a few rows of noise, with dropout: what a resumed training must repeat, without a run around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PrinterCallback, TrainingArguments, set_seed

from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.training.loop.batches import RECORD, Batch
from hf_ecg_bench.training.loop.selection import selection_metrics
from hf_ecg_bench.training.loop.trainer import EcgTrainer

_NAMES, _KINDS = ("a", "b", "x"), ("binary", "binary", "regression")
_IS_REGRESSION = np.array([False, False, True])


class Noise(torch.utils.data.Dataset):
    """24 windows, other ones in each epoch; also what is evaluated, in order."""

    def __init__(self) -> None:
        generator = np.random.default_rng(0)
        self.targets = (generator.random((24, 3)) < 0.4).astype(np.float32)
        self.epoch, self.rows = 0, 24
        self.read: list[int] = []

    @property
    def record(self) -> np.ndarray:
        return np.arange(self.rows)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.rows

    def __getitems__(self, indices: list[int]) -> Batch:
        self.read += indices
        windows = [np.random.default_rng((self.epoch, index)).normal(size=(12, 250)) for index in indices]
        return {
            "input_values": torch.from_numpy(np.stack(windows).astype(np.float32)),
            "labels": torch.from_numpy(self.targets[indices]),
            RECORD: torch.tensor(indices),
        }


def small_trainer(folder: Path, *, batch_size: int = 8, accumulation: int = 1, epochs: int = 3) -> EcgTrainer:
    """Of a narrow S4, from its first weights."""
    set_seed(0)
    model = load_model(
        "s4", pretrained=False, target_names=_NAMES, target_kinds=_KINDS, head="linear", seed=0, hidden_size=8,
        n_layers=1, dropout=0.2,
    )  # fmt: skip
    arguments = TrainingArguments(
        output_dir=str(folder), num_train_epochs=epochs, per_device_train_batch_size=batch_size // accumulation,
        gradient_accumulation_steps=accumulation, learning_rate=1e-2, lr_scheduler_type="cosine", max_grad_norm=0.0,
        eval_strategy="epoch", save_strategy="epoch", logging_strategy="epoch", load_best_model_at_end=True,
        metric_for_best_model="composite", greater_is_better=False, report_to="none", use_cpu=True, disable_tqdm=True,
        remove_unused_columns=False, label_names=["labels"], logging_nan_inf_filter=False, dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = EcgTrainer(
        model=model, args=arguments, train_dataset=Noise(), eval_dataset=Noise(), data_collator=lambda batch: batch,
        is_regression=torch.from_numpy(_IS_REGRESSION), layer_factors=(1.0, 1.0, 1.0),
        record_metrics=lambda targets, outputs: selection_metrics(targets[: len(outputs)], outputs, _IS_REGRESSION),
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    return trainer


def outcome(trainer: EcgTrainer) -> dict[str, Any]:
    """What training leaves: weights, history and selection."""
    assert trainer.model is not None
    weights = {name: value.numpy().tobytes() for name, value in trainer.model.state_dict().items()}
    return {"weights": weights, "history": trainer.epochs(), "selection": trainer.selection("composite")}
