"""torch.compile takes every model's forward pass as one graph; what it computes is the same."""

from __future__ import annotations

import copy

import pytest
import torch

from tests.models.common import (
    CASES,
    dropout_fields,
    enable_checkpointing,
    every_case,
    gradients,
    labels_for,
    same_tensors,
    shared_model,
)

KINDS = ["binary", "regression", "binary"]


@pytest.fixture(autouse=True)
def forget_graphs():
    """Each test compiles for itself."""
    torch._dynamo.reset()


def compiled(model, backend="eager"):
    """A break in the graph is an error; `eager` runs the captured graph without a code generator."""
    return torch.compile(model, fullgraph=True, backend=backend)


@pytest.mark.parametrize(  # ECGFounder's network is Net1D's
    "case", [pytest.param(c, marks=[pytest.mark.slow] if c.model_id == "ecg_founder" else [], id=str(c)) for c in CASES]
)
def test_training_step_is_one_graph(case):
    model = case.build(target_kinds=KINDS, **dict.fromkeys(dropout_fields(shared_model(case).config), 0.0)).train()
    x, labels = case.windows(model, batch=3), labels_for(model, batch=3)
    plain = copy.deepcopy(model)
    expected = gradients(plain, x, labels)
    loss = compiled(model)(x, labels=labels).loss
    loss.backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    same_tensors({"loss": loss.detach(), **found}, expected, rtol=1e-4, atol=1e-6)
    same_tensors(dict(model.named_buffers()), dict(plain.named_buffers()), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@every_case
@pytest.mark.parametrize("head", ["linear", "attention"])
def test_evaluation_is_one_graph_for_any_batch(case, head):
    model = shared_model(case, head)
    graph = compiled(model)
    with torch.no_grad():
        for batch in (3, 1, 5, 2):
            x = case.windows(model, batch)
            expected, found = model(x), graph(x)
            torch.testing.assert_close(found.logits, expected.logits, rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(found.last_hidden_state, expected.last_hidden_state, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@every_case
def test_declared_dropout_and_autocast_are_one_graph(case):
    model = case.build("attention").train()
    x, labels = case.windows(model, batch=3), labels_for(model, batch=3)
    graph = compiled(model)
    assert torch.isfinite(graph(x, labels=labels).loss)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.isfinite(graph(x, labels=labels).loss)


@pytest.mark.slow
@every_case
def test_traces_of_the_whole_step(case):
    """Through the ahead-of-time autograd that code generators build on, frozen backbones included."""
    for options in ({}, {"freeze_backbone": True}):
        quiet = dict.fromkeys(dropout_fields(shared_model(case).config), 0.0)
        model = case.build(**quiet, **options).train()
        x, labels = case.windows(model, batch=3), labels_for(model, batch=3)
        plain = copy.deepcopy(model)
        expected = gradients(plain, x, labels)
        loss = compiled(model, "aot_eager")(x, labels=labels).loss
        loss.backward()
        found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        same_tensors({"loss": loss.detach(), **found}, expected, rtol=1e-3, atol=1e-5)
        same_tensors(dict(model.named_buffers()), dict(plain.named_buffers()), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@every_case
def test_gradient_checkpointing_under_the_compiler(case):
    """Statistics of BatchNorm are counted once here too."""
    quiet = dict.fromkeys(dropout_fields(shared_model(case).config), 0.0)
    model = case.build(**quiet).train()
    plain = copy.deepcopy(model)
    enable_checkpointing(model)
    x, labels = case.windows(model, batch=3), labels_for(model, batch=3)
    expected = gradients(plain, x, labels)
    loss = torch.compile(model, backend="aot_eager")(x, labels=labels).loss
    loss.backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    same_tensors({"loss": loss.detach(), **found}, expected, rtol=1e-3, atol=1e-5)
    same_tensors(dict(model.named_buffers()), dict(plain.named_buffers()), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case.model_id in ("net1d", "st_mem", "s4")], ids=str)
def test_generated_code(case):
    """The default code generator, for one model of each kind (a compiler for C++ must be there)."""
    model = shared_model(case)
    x = case.windows(model, batch=3)
    with torch.no_grad():
        torch.testing.assert_close(compiled(model, "inductor")(x).logits, model(x).logits, rtol=1e-4, atol=1e-5)
