"""Gradient checkpointing: the same loss, gradients and batch statistics for less memory."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import Trainer, TrainingArguments
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.errors import TrainingError
from tests.models.common import (
    CASES,
    both_heads,
    buffers,
    dropout_fields,
    enable_checkpointing,
    every_case,
    gradients,
    labels_for,
    same_tensors,
    shared_model,
)

one_with_batch_norm = pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=() if c.model_id == "ecgfm_ked" else pytest.mark.slow, id=str(c)) for c in CASES],
)


def count_calls(model):
    """How often each checkpointed block is computed, by name, counted as it happens."""
    calls: dict[str, int] = {}

    def counted(name, checkpoint):
        def run(function, *args, **kwargs):
            def count(*inputs):
                calls[name] = calls.get(name, 0) + 1
                return function(*inputs)

            return checkpoint(count, *args, **kwargs)

        return run

    for name, module in model.named_modules():
        if isinstance(module, GradientCheckpointingLayer):
            block = module._gradient_checkpointing_func
            block.checkpoint = counted(name, block.checkpoint)
    return calls


@every_case
@both_heads
def test_same_loss_gradients_and_statistics(case, head):
    plain = case.build(head).double().train()
    saving = copy.deepcopy(plain)
    enable_checkpointing(saving)
    x, labels = case.windows(plain, batch=3), labels_for(plain, batch=3)
    calls = count_calls(saving)
    expected, found = gradients(plain, x, labels), gradients(saving, x, labels)
    same_tensors(found, expected, rtol=1e-12, atol=1e-14)
    same_tensors(dict(saving.named_buffers()), dict(plain.named_buffers()), 0, 0)
    assert calls
    assert set(calls.values()) == {2}, "a block was not computed again"
    saving.gradient_checkpointing_disable()
    same_tensors(gradients(saving, x, labels), gradients(plain, x, labels), rtol=1e-12, atol=1e-14)
    same_tensors(dict(saving.named_buffers()), dict(plain.named_buffers()), 0, 0)


@every_case
def test_hidden_states_and_evaluation_under_checkpointing(case):
    plain = case.build(**dict.fromkeys(dropout_fields(shared_model(case).config), 0.0))  # no layer is dropped
    saving = copy.deepcopy(plain)
    enable_checkpointing(saving)
    x = case.windows(plain)
    for ours, theirs in zip(
        saving(x, output_hidden_states=True).hidden_states,
        plain(x, output_hidden_states=True).hidden_states,
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)
    if plain.encoder.has_attentions:
        saving.train()
        assert len(saving(x, output_attentions=True).attentions) == plain.config.n_layers


@every_case
def test_every_second_block(case):
    plain = case.build().double().train()
    saving = copy.deepcopy(plain)
    saving.activation_checkpointing_enable(every_n_layers=2)
    x, labels = case.windows(plain, batch=3), labels_for(plain, batch=3)
    same_tensors(gradients(saving, x, labels), gradients(plain, x, labels), rtol=1e-12, atol=1e-14)
    same_tensors(dict(saving.named_buffers()), dict(plain.named_buffers()), 0, 0)


@every_case
def test_reentrant_checkpointing_is_refused_where_it_would_be_wrong(case):
    model = case.build()
    blocks = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    if any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for block in blocks for m in block.modules()):
        with pytest.raises(TrainingError, match="twice"):
            enable_checkpointing(model, use_reentrant=True)
    else:
        enable_checkpointing(model, use_reentrant=True)


@one_with_batch_norm
def test_trainer_with_checkpointing(case, tmp_path):
    """The same weights and statistics after two steps as without."""
    states = []
    for checkpointing in (False, True):
        model = case.build(target_kinds=["binary", "regression", "binary"]).train()
        x, labels = case.windows(model, batch=4), labels_for(model, batch=4)
        rows = [{"input_values": window, "labels": label} for window, label in zip(x, labels, strict=True)]
        arguments = TrainingArguments(
            str(tmp_path), per_device_train_batch_size=2, max_steps=2, learning_rate=1e-3, use_cpu=True, seed=1,
            gradient_checkpointing=checkpointing, report_to=[], save_strategy="no", logging_strategy="no",
            disable_tqdm=True, label_names=["labels"], dataloader_pin_memory=False,
        )  # fmt: skip
        Trainer(model=model, args=arguments, train_dataset=rows).train()
        states.append({name: p.detach() for name, p in model.named_parameters()} | buffers(model))
    same_tensors(states[1], states[0], rtol=1e-4, atol=1e-5)
    moved = shared_model(case).state_dict()
    assert any(not torch.equal(value, moved[name]) for name, value in states[1].items() if name in moved)
