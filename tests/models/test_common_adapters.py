"""LoRA on every model: what is trained, what is saved, what is merged."""

from __future__ import annotations

import json

import pytest
import torch
from peft import PeftModel
from torch import nn

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.models.adapters.adding import add_lora
from hf_ecg_bench.models.param_groups import param_groups
from tests.models.common import (
    CASES,
    both_heads,
    dropout_fields,
    enable_checkpointing,
    every_case,
    gradients,
    labels_for,
    same_tensors,
    shared_model,
)


def adapted(case, head="linear", **options):
    """A tiny adapted classifier in train mode, without dropout."""
    model = case.build(head, **dict.fromkeys(dropout_fields(shared_model(case).config), 0.0)).double().train()
    return add_lora(model, rank=4, **options).double()


def train_a_little(wrapped, case, steps=3):
    """Some steps that move adapters, head and whatever else is wrongly trained."""
    x, labels = case.windows(wrapped, batch=4), labels_for(wrapped.get_base_model(), batch=4)
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(steps):
        wrapped.train()
        optimizer.zero_grad()
        wrapped(x, labels=labels).loss.backward()
        optimizer.step()
    return wrapped.eval()


@every_case
@both_heads
def test_starts_as_the_model_it_adapts(case, head):
    wrapped = adapted(case, head).eval()
    plain = case.build(head).double()
    x = case.windows(plain)
    with torch.no_grad():
        torch.testing.assert_close(wrapped(x).logits, plain(x).logits, rtol=1e-10, atol=1e-12)
    found = {name for name, p in wrapped.named_parameters() if p.requires_grad}
    assert all(".lora_" in name or ".head.modules_to_save." in name for name in found)
    assert sum(".lora_A." in name for name in found) == sum(".lora_B." in name for name in found) > 0


@every_case
def test_only_adapters_and_head_learn(case):
    wrapped = adapted(case)
    base = wrapped.get_base_model()
    before = {name: value.clone() for name, value in wrapped.state_dict().items()}
    train_a_little(wrapped, case)
    changed = {name for name, value in wrapped.state_dict().items() if not torch.equal(value, before[name])}
    trained = {name for name, p in wrapped.named_parameters() if p.requires_grad}
    assert changed == trained, changed ^ trained
    assert base.config.freeze_backbone is False


@every_case
def test_batch_norm_stays_in_evaluation(case):
    wrapped = adapted(case)
    norms = [m for m in wrapped.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for _ in range(2):
        assert not any(norm.training for norm in norms)
        wrapped.train()
    assert wrapped.get_base_model().head.training


@pytest.mark.slow  # the default suite has the same for folders of adapters, test_adapter_folders.py
@every_case
@both_heads
def test_adapters_come_back(case, head, tmp_path):
    wrapped = train_a_little(adapted(case, head), case)
    wrapped.save_pretrained(tmp_path)
    base = case.build(head).double()
    loaded = PeftModel.from_pretrained(base, tmp_path).eval()
    same_tensors(dict(loaded.named_buffers()), dict(wrapped.named_buffers()), 0, 0)
    x = case.windows(base)
    with torch.no_grad():
        assert torch.equal(loaded(x).logits, wrapped(x).logits)
    stored = json.loads((tmp_path / "adapter_config.json").read_text())
    assert stored["modules_to_save"] == ["head"]
    assert not any(norm.training for norm in loaded.train().modules() if isinstance(norm, nn.BatchNorm1d))


@every_case
def test_merging_gives_a_plain_classifier(case, tmp_path):
    wrapped = train_a_little(adapted(case), case)
    x = case.windows(wrapped)
    with torch.no_grad():
        expected = wrapped(x).logits
        merged = wrapped.merge_and_unload()
        torch.testing.assert_close(merged(x).logits, expected, rtol=1e-9, atol=1e-10)
    plain = case.build()
    assert type(merged) is type(plain)
    assert merged.state_dict().keys() == plain.state_dict().keys()
    merged.save_pretrained(tmp_path)
    loaded = type(plain).from_pretrained(tmp_path, dtype=torch.float64)
    with torch.no_grad():
        assert torch.equal(loaded(x).logits, merged(x).logits)


@every_case
def test_checkpointing_and_groups_under_adapters(case):
    wrapped = adapted(case)
    x, labels = case.windows(wrapped), labels_for(wrapped.get_base_model())
    expected = gradients(wrapped, x, labels)
    enable_checkpointing(wrapped.get_base_model())
    same_tensors(gradients(wrapped, x, labels), expected, rtol=1e-9, atol=1e-12)
    assert len(expected) > 2
    listed = [id(parameter) for group in param_groups(wrapped, 1.0, 0.0) for parameter in group["params"]]
    assert sorted(listed) == sorted(id(parameter) for parameter in wrapped.parameters() if parameter.requires_grad)


def test_bad_adapters_are_refused_in_words():
    case = next(case for case in CASES if case.model_id == "net1d")
    for options, message in (
        ({"targets": [r"encoder\.nothing"]}, "no module of net1d matches"),
        ({"targets": [r"encoder\.first_bn"]}, "adapters go on Linear"),
        ({"targets": ["head"]}, "trained anyway"),
        ({"targets": [r"encoder\.stage_list\.1\.block_list\.0\.conv2"], "rank": 3}, "2 groups"),
        ({"rank": 0}, "rank of at least 1"),
        ({"dropout": 1.0}, "dropout"),
    ):
        with pytest.raises(TrainingError, match=message):
            add_lora(case.build(), **options)
    with pytest.raises(TrainingError, match="target_names"):
        add_lora(case.build().encoder)
    with pytest.raises(TrainingError, match="freeze_backbone=False"):
        add_lora(case.build(freeze_backbone=True))
    with pytest.raises(TrainingError, match="already"):
        add_lora(add_lora(case.build()).get_base_model())
