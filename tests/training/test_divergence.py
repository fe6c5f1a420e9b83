"""A loss that is not finite: an error before it reaches the weights, with the step and its records."""

from __future__ import annotations

import pytest
import torch

from hf_ecg_bench.errors import DivergedError, TrainingError
from hf_ecg_bench.training.loop.batches import RECORD, Batch
from hf_ecg_bench.training.loop.divergence import check_losses
from tests.training.small_trainer import Noise, small_trainer


def names(positions) -> list[str]:
    return [f"ecg{position:02}" for position in positions]


class Spoiled(Noise):
    """In the second epoch all samples of record 11 are `value`."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def __getitems__(self, indices: list[int]) -> Batch:
        batch = super().__getitems__(indices)
        if self.epoch == 1 and 11 in indices:
            batch["input_values"][indices.index(11)] = self.value
        return batch


@pytest.mark.parametrize("accumulation", [1, 4])
def test_names_step_epoch_and_records(tmp_path, accumulation):
    trainer = small_trainer(tmp_path, accumulation=accumulation)
    trainer.names = names
    trainer.train_dataset = Spoiled(float("inf"))
    with pytest.raises(TrainingError) as caught:
        trainer.fit()
    message = str(caught.value)
    step, loss = message.split(" at step ")[1].split()[0], message.split("loss is ")[1].split()[0]
    assert step in "456"
    assert "(epoch 2)" in message
    assert loss in ("nan", "inf")
    listed = message.split("records of its batch: ")[1].split(";")[0]
    if accumulation == 4:
        assert len(listed.split(", ")) == 2, "the micro-batch's, not the whole step's"
    else:
        assert "and 3 more" in listed
    assert "infinite or huge values (beyond 1000): ecg11\n" in message
    finite = [bool(value.isfinite().all()) for value in trainer.model.state_dict().values()]
    assert all(finite), "the step was not made"


def test_missing_samples_are_no_divergence(tmp_path):
    trainer = small_trainer(tmp_path, epochs=2)
    trainer.train_dataset = Spoiled(float("nan"))
    trainer.fit()
    assert len(trainer.epochs()) == 2


def test_where_nothing_is_odd_in_the_data_the_rate_is():
    batch = {"input_values": torch.zeros(2, 12, 5), "labels": torch.zeros(2, 3), RECORD: torch.tensor([3, 4])}
    losses = [torch.tensor(0.5), torch.tensor(float("nan"))]
    with pytest.raises(DivergedError, match="ecg03, ecg04\n  fix: a smaller --learning-rate"):
        check_losses(losses, [batch, batch], names, "step 1 (epoch 1)")
    check_losses(losses[:1], [batch], names, "step 1 (epoch 1)")


def test_huge_labels_are_named():
    labels = torch.tensor([[float("nan"), 1.0], [1e30, 0.0]])
    batch = {"input_values": torch.zeros(2, 12, 5), "labels": labels, RECORD: torch.tensor([3, 4])}
    with pytest.raises(TrainingError, match=r"huge values.*: ecg04\n"):
        check_losses([torch.tensor(float("inf"))], [batch], names, "step 1 (epoch 1)")
