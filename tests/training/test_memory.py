"""Too little memory: smaller batches, the same step, said and recorded."""

from __future__ import annotations

import shutil

import pytest
import torch

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.training.surviving.memory import is_out_of_memory, smaller_accumulation, with_less_memory
from tests.training.small_trainer import outcome, small_trainer

MESSAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    RuntimeError("[enforce fail] . DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    MemoryError("Unable to allocate 3 GiB for an array"),
]


def limit(trainer, largest: int, *, training: bool = True, error: BaseException = MESSAGES[0], after: int = 0):
    """Let the model's forward fail for larger batches, in training or evaluation, after so many forward passes."""
    calls, forward = [], trainer.model.forward

    def limited(input_values, **kwargs):
        calls.append(len(input_values))
        if trainer.model.training == training and len(input_values) > largest and len(calls) > after:
            raise error
        return forward(input_values=input_values, **kwargs)

    trainer.model.forward = limited
    trainer.said = []
    trainer.say = trainer.said.append
    return calls


@pytest.mark.parametrize("error", MESSAGES, ids=lambda error: type(error).__name__)
def test_what_counts_as_too_little_memory(error):
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("shapes (3, 4) and (5, 6) do not match"))


def test_accumulation_divides_the_step():
    assert smaller_accumulation(64, 1) == 2
    assert smaller_accumulation(64, 2) == 4
    assert smaller_accumulation(48, 16) == 48
    assert smaller_accumulation(48, 48) is None
    assert smaller_accumulation(7, 1) == 7


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Trained in four parts per step from the start."""
    trainer = small_trainer(tmp_path_factory.mktemp("planned"), accumulation=4)
    trainer.fit()
    return outcome(trainer)


@pytest.mark.parametrize("after", [0, 1, 7])  # at the first step, at the second, in the second epoch
def test_same_numbers_as_with_the_smaller_batch_from_the_start(tmp_path, planned, after):
    """The optimizer step stays the protocol's; dropout is drawn per micro-batch, so the same split is compared."""
    squeezed = small_trainer(tmp_path / "squeezed")
    calls = limit(squeezed, 2, after=after)
    squeezed.fit()
    assert squeezed.reduced == {"accumulation": 4}
    assert calls[-1] == 8, "evaluation is not limited"
    assert squeezed.said == [
        "out of memory: going on with micro-batches of 4 instead of 8; a step is still 8 records",
        "out of memory: going on with micro-batches of 2 instead of 4; a step is still 8 records",
    ]
    if after < 7:
        assert outcome(squeezed) == planned
    else:  # the first epoch was trained in whole batches
        assert outcome(squeezed)["history"][0] != planned["history"][0]
        assert len(outcome(squeezed)["history"]) == 3


def test_next_start_knows_what_fitted(tmp_path):
    first = small_trainer(tmp_path)
    limit(first, 4)
    first.fit()
    shutil.rmtree(tmp_path / "checkpoint-9")  # as if it had been killed before its first checkpoint
    again = small_trainer(tmp_path)
    calls = limit(again, 4)
    again.fit()
    assert again.said == []
    assert again.reduced == {"accumulation": 2}
    assert calls[:2] == [4, 4]
    assert first.notes() == [
        "memory ran out: each step was computed in 2 parts of 4 records"
    ]  # an S4 has no batch norm
    first.model.extra = torch.nn.BatchNorm1d(2)
    assert first.notes()[0].endswith("of 4 records, and batch norm took its statistics over these, not over the batch")


def test_evaluation_in_smaller_batches(tmp_path):
    import numpy as np

    whole, parts = small_trainer(tmp_path / "a"), small_trainer(tmp_path / "b")
    limit(parts, 5, training=False)
    for trainer in (whole, parts):
        trainer.args.per_device_eval_batch_size = 16
    np.testing.assert_allclose(
        parts.window_logits(parts.eval_dataset), whole.window_logits(whole.eval_dataset), atol=1e-6
    )
    assert parts.reduced == {"evaluation_batch_size": 4}
    assert parts.said[-1] == "out of memory: evaluation in batches of 4 instead of 8"


def test_not_even_one(tmp_path):
    trainer = small_trainer(tmp_path)
    limit(trainer, 0)
    with pytest.raises(TrainingError, match=r"one record at a time\n.*--gradient-checkpointing"):
        trainer.fit()


def test_other_errors_pass(tmp_path):
    trainer = small_trainer(tmp_path)
    limit(trainer, 4, error=RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        trainer.fit()


def test_helper_halves_and_gives_up():
    said: list[str] = []

    def compute(size: int) -> str:
        if size > 3:
            raise MESSAGES[0]
        return "x" * size

    assert with_less_memory(compute, 16, "extraction", said.append) == ("xx", 2)
    assert said[0] == "out of memory: extraction in batches of 8 instead of 16"
    with pytest.raises(TrainingError, match="extraction does not fit even one at a time"):
        with_less_memory(lambda size: compute(9), 2, "extraction", said.append)


def test_with_several_processes_the_next_start_takes_less(tmp_path, monkeypatch):
    """After one process has failed the others wait in an exchange: they cannot be asked to shrink, too."""
    trainer = small_trainer(tmp_path)
    limit(trainer, 4)
    monkeypatch.setattr(type(trainer.args), "world_size", 2)
    with pytest.raises(TrainingError, match=r"the next start takes micro-batches of 4 instead of 8\n.*same command"):
        trainer._shrink_or_raise(MESSAGES[0])
    again = small_trainer(tmp_path)
    from hf_ecg_bench.training.surviving.memory import remembered_sizes

    assert remembered_sizes(tmp_path, 2) == {"accumulation": 2}
    assert remembered_sizes(tmp_path, 1) == {}
    assert again.reduced == {}
