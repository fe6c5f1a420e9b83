"""Gradients everywhere they belong, and training that works."""

from __future__ import annotations

import re

import pytest
import torch

from hf_ecg_bench.models.param_groups import param_groups
from tests.models.common import (
    both_heads,
    dropout_fields,
    every_case,
    gradients,
    labels_for,
    shared_model,
    without_gradient,
)

KINDS = ["binary", "regression", "binary"]


def quiet(case, head="linear", **options):
    """A classifier in train mode without dropout."""
    return case.build(head, **dict.fromkeys(dropout_fields(shared_model(case).config), 0.0), **options).train()


@every_case
@both_heads
def test_every_parameter_learns_unless_the_spec_says_why_not(case, head):
    model = quiet(case, head).double()
    found = gradients(model, case.windows(model, batch=3), labels_for(model, batch=3))
    declared = without_gradient(case, model)
    for name, _ in model.named_parameters():
        if name in declared:
            assert name not in found or not found[name].any(), f"{name} does get a gradient"
        else:
            assert name in found, f"{name} gets no gradient"
            assert torch.isfinite(found[name]).all(), name
            assert found[name].any(), f"the gradient of {name} is zero"


@every_case
def test_declared_exceptions_exist(case):
    for unused in case.spec.unused_parameters:
        models = [other.build() for other in (case, *(type(case)(case.model_id, v) for v in case.spec.tiny_variants))]
        assert any(re.match(unused.names, name) for model in models for name, _ in model.named_parameters()), unused
        assert unused.reason


@every_case
@both_heads
def test_gradients_are_the_losss_derivative(case, head):
    """Along a random direction in all parameters, in float64."""
    model = quiet(case, head, target_kinds=KINDS).double()
    x, labels = case.windows(model), labels_for(model)
    parameters = [p for name, p in model.named_parameters() if name not in without_gradient(case, model)]
    loss = model(x, labels=labels).loss
    found = torch.autograd.grad(loss, parameters)
    generator = torch.Generator().manual_seed(0)
    direction = [torch.randn(p.shape, generator=generator, dtype=p.dtype) * p.detach().abs().mean() for p in parameters]

    def at(step):
        with torch.no_grad():
            for parameter, towards in zip(parameters, direction, strict=True):
                parameter += step * towards
            value = float(model(x, labels=labels).loss)
            for parameter, towards in zip(parameters, direction, strict=True):
                parameter -= step * towards
        return value

    expected = sum(float((g * d).sum()) for g, d in zip(found, direction, strict=True))
    step = 1e-6
    assert (at(step) - at(-step)) / (2 * step) == pytest.approx(expected, rel=1e-3, abs=1e-7)


@every_case
def test_input_gets_a_gradient(case):
    """For saliency maps: how much each sample mattered."""
    for model in (shared_model(case), case.build(freeze_backbone=True)):
        x = case.windows(model, batch=1).requires_grad_()
        (gradient,) = torch.autograd.grad(model(x).logits.sum(), x)
        assert torch.isfinite(gradient).all()
        assert gradient.any()


@every_case
def test_frozen_backbone_builds_no_graph(case):
    model = case.build("attention", freeze_backbone=True).train()
    output = model(case.windows(model), labels=labels_for(model))
    assert not output.last_hidden_state.requires_grad
    before = {name: value.clone() for name, value in model.encoder.named_buffers()}
    output.loss.backward()
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None} == {"head"}
    assert all(torch.equal(value, before[name]) for name, value in model.encoder.named_buffers())


@every_case
def test_batch_statistics_follow_the_parameters_they_belong_to(case):
    """A BatchNorm with frozen parameters stays in eval mode, the others track the data."""
    model = case.build()
    norms = [m for m in model.encoder.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    model.train()
    assert all(norm.training for norm in norms)
    for norm in norms[:1]:
        norm.requires_grad_(False)
    model.train()
    assert not any(norm.training for norm in norms[:1])
    assert all(norm.training for norm in norms[1:])


@every_case
@both_heads
def test_parameter_groups_cover_everything_once(case, head):
    model = shared_model(case, head)
    listed = [id(parameter) for group in param_groups(model, 1.0, 0.0) for parameter in group["params"]]
    assert sorted(listed) == sorted(id(parameter) for parameter in model.parameters() if parameter.requires_grad)


@every_case
@both_heads
def test_a_few_steps_fit_a_batch(case, head):
    model = quiet(case, head, target_kinds=KINDS)
    x, labels = case.windows(model, batch=4), labels_for(model, batch=4)
    optimizer = torch.optim.AdamW(param_groups(model, 3e-3, 1e-3, factors=(1.0, 1.0, 1.0)), fused=True)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = model(x, labels=labels).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


@every_case
def test_micro_batches_add_up_to_the_batch(case):
    """Gradient accumulation with the step's counts is exact wherever batch statistics are not used."""
    from hf_ecg_bench.models.losses import masked_loss, valid_counts

    model = case.build(target_kinds=KINDS).double()  # eval mode: no batch statistics, no dropout
    x, labels = case.windows(model, batch=4), labels_for(model, batch=4)
    expected = gradients(model, x, labels)
    model.zero_grad(set_to_none=True)
    counts = valid_counts(labels)
    for part in (slice(0, 1), slice(1, 4)):
        masked_loss(model(x[part]).logits, labels[part], model.is_regression, counts).backward()
    for name, parameter in model.named_parameters():
        if name in expected:
            torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-8, atol=1e-12)
