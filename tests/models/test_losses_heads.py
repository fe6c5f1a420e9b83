"""The masked loss against a plain loop, and the attention head against the textbook formula."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch.nn import functional

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.models.heads import AttentionPoolingHead
from hf_ecg_bench.models.losses import masked_loss, valid_counts
from hf_ecg_bench.models.param_groups import param_groups
from tests.models.fills import classifier, fill

KINDS = torch.tensor([False, False, False, True, True])


def labels_with_gaps() -> torch.Tensor:
    labels = (fill("labels", (16, 5)) > 0).double()
    labels[:, 3:] = fill("numbers", (16, 2))
    labels[fill("gaps", (16, 5)) > 0.5] = float("nan")
    labels[:, 1] = float("nan")  # a target that nobody has
    labels[:8, 4] = float("nan")
    return labels


def plain_loss(logits: torch.Tensor, labels: torch.Tensor) -> float:
    parts: dict[bool, list[float]] = {False: [], True: []}
    for column, regression in enumerate(KINDS.tolist()):
        errors = []
        for logit, label in zip(logits[:, column].tolist(), labels[:, column].tolist(), strict=True):
            if not math.isnan(label):
                likelihood = math.log1p(math.exp(-logit)) if label else math.log1p(math.exp(logit))
                errors.append(abs(logit - label) if regression else likelihood)
        if errors:
            parts[regression].append(sum(errors) / len(errors))
    return sum(sum(values) / len(values) for values in parts.values() if values)


def test_masked_loss_equals_a_loop():
    logits, labels = fill("logits", (16, 5)), labels_with_gaps()
    assert float(masked_loss(logits, labels, KINDS)) == pytest.approx(plain_loss(logits, labels), rel=1e-12)


def test_without_gaps_it_is_the_plain_mean():
    logits, labels = fill("logits", (16, 5)), (fill("labels", (16, 5)) > 0).double()
    expected = functional.binary_cross_entropy_with_logits(logits, labels)
    torch.testing.assert_close(masked_loss(logits, labels, torch.zeros(5, dtype=torch.bool)), expected)


@pytest.mark.parametrize("parts", [2, 4, 16])
def test_micro_batches_add_up(parts):
    logits, labels = fill("logits", (16, 5)).requires_grad_(), labels_with_gaps()
    (whole,) = torch.autograd.grad(masked_loss(logits, labels, KINDS), logits)
    counts = sum(valid_counts(chunk) for chunk in labels.chunk(parts))
    losses = [masked_loss(x, y, KINDS, counts) for x, y in zip(logits.chunk(parts), labels.chunk(parts), strict=True)]
    torch.testing.assert_close(sum(losses), masked_loss(logits, labels, KINDS), rtol=1e-13, atol=0)
    (split,) = torch.autograd.grad(sum(losses), logits)
    torch.testing.assert_close(split, whole, rtol=1e-12, atol=1e-16)


def test_nothing_to_learn_from_gives_zero_gradients():
    logits = fill("logits", (4, 5)).requires_grad_()
    loss = masked_loss(logits, torch.full((4, 5), float("nan")), KINDS)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros(4, 5, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_loss_is_computed_in_float32(dtype):
    assert masked_loss(torch.zeros(2, 5, dtype=dtype), torch.zeros(2, 5), KINDS).dtype == torch.float32


def test_attention_head_equals_the_textbook_formula():
    head = AttentionPoolingHead(64, 3).double()
    tokens = fill("tokens", (2, 7, 64)).requires_grad_()
    query = head.q_proj(head.query).expand(2, 1, 64).unflatten(-1, (16, 4)).transpose(1, 2)
    keys, values = (proj(tokens).unflatten(-1, (16, 4)).transpose(1, 2) for proj in (head.k_proj, head.v_proj))
    pooled = functional.scaled_dot_product_attention(query, keys, values).transpose(1, 2).flatten(1)
    expected, found = head.c_proj(pooled), head(tokens)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    inputs = [tokens, *head.parameters()]
    for a, b in zip(torch.autograd.grad(found.sum(), inputs), torch.autograd.grad(expected.sum(), inputs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


def test_every_parameter_is_in_one_group():
    model = classifier("ecg_founder", base_width=16, widths=[16] * 7, depths=[1] * 7)
    groups = param_groups(model, 0.5, 1e-3, factors=(1.0, 0.2, 0.04))
    assert [(group["name"], group["lr"]) for group in groups] == [
        ("head", 0.5),
        ("late", 0.1),
        ("early", 0.02),
    ]
    listed = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(listed) == sorted(id(parameter) for parameter in model.parameters())
    stray = copy.deepcopy(model)
    stray.encoder.extra = torch.nn.Linear(2, 2)
    with pytest.raises(TrainingError, match=r"encoder.extra.weight.*0 layer groups"):
        param_groups(stray, 0.5, 1e-3)
    with pytest.raises(TrainingError, match="no parameter"):
        param_groups(model.requires_grad_(False), 0.5, 1e-3)
