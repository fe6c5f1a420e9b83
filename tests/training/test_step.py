"""One optimizer step: the same however its batch is split, and a frozen backbone that does not move."""

from __future__ import annotations

import copy

import torch

from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.training.loop.trainer import EcgTrainer

NAMES, KINDS = ("a", "b", "c", "x", "y"), ("binary", "binary", "binary", "regression", "regression")


class Rows(torch.utils.data.Dataset):
    """16 windows with missing targets, in a fixed order."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(16, 12, 250, generator=generator)
        self.y = (torch.rand(16, 5, generator=generator) < 0.4).float()
        self.y[torch.rand(16, 5, generator=generator) < 0.3] = float("nan")
        self.y[8:, 1] = float("nan")  # a target that half of the micro-batches lack altogether

    def __len__(self) -> int:
        return 16

    def __getitems__(self, indices: list[int]) -> dict[str, torch.Tensor]:
        return {"input_values": self.x[indices], "labels": self.y[indices]}


def tiny_model(freeze: bool = False, dropout: float = 0.0):
    return load_model(
        "s4", pretrained=False, target_names=NAMES, target_kinds=KINDS, head="linear", seed=0, hidden_size=16,
        dropout=dropout, freeze_backbone=freeze,
    )  # fmt: skip


def trainer_of(model, folder, batch_size: int, accumulation: int, steps: int = 1, **kwargs) -> EcgTrainer:
    from transformers import TrainingArguments

    arguments = TrainingArguments(
        output_dir=str(folder), max_steps=steps, per_device_train_batch_size=batch_size, learning_rate=1e-3,
        gradient_accumulation_steps=accumulation, max_grad_norm=0.0, weight_decay=1e-3, lr_scheduler_type="constant",
        save_strategy="no", report_to="none", use_cpu=True, disable_tqdm=True, remove_unused_columns=False,
        label_names=["labels"], **kwargs,
    )  # fmt: skip
    return EcgTrainer(
        model=model, args=arguments, train_dataset=Rows(), data_collator=lambda batch: batch,
        is_regression=torch.tensor([k == "regression" for k in KINDS]), layer_factors=(1.0, 0.1, 0.01),
    )  # fmt: skip


def weights_after(folder, batch_size: int, accumulation: int) -> dict[str, torch.Tensor]:
    model = tiny_model().double()
    rows = trainer_of(model, folder, batch_size, accumulation, steps=2)
    rows.train_dataset.x = rows.train_dataset.x.double()
    rows.train_dataset.y = rows.train_dataset.y.double()
    rows.train()
    return model.state_dict()


def test_accumulation_does_not_change_the_step(tmp_path):
    whole = weights_after(tmp_path, 16, 1)
    for batch_size, accumulation in ((8, 2), (4, 4)):
        parts = weights_after(tmp_path, batch_size, accumulation)
        for name, value in whole.items():
            torch.testing.assert_close(parts[name], value, rtol=1e-9, atol=1e-12, msg=name)


def test_frozen_backbone_stays_bit_identical_and_in_eval_mode(tmp_path):
    model = tiny_model(freeze=True, dropout=0.5)
    before = copy.deepcopy(model.state_dict())
    trainer_of(model, tmp_path, 8, 1, steps=3).train()
    assert not model.encoder.training
    moved = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    assert moved
    assert all(name.startswith("head.") for name in moved)
