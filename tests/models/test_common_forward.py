"""What every model's forward pass keeps to: signature, return types, determinism, batches, lengths, hidden states."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch.utils._pytree import tree_leaves

from hf_ecg_bench.errors import ContractError
from tests.models.common import (
    buffers,
    dropout_fields,
    every_case,
    labels_for,
    same_tensors,
    shared_model,
)

BACKBONE = ["input_values", "output_hidden_states", "output_attentions", "return_dict"]


@every_case
def test_signature_is_the_documented_one(case):
    """No **kwargs: with them the Trainer would scale the loss on its own."""
    model = shared_model(case)
    assert list(inspect.signature(model.encoder.forward).parameters) == BACKBONE
    assert list(inspect.signature(model.forward).parameters) == [BACKBONE[0], "labels", *BACKBONE[1:]]
    assert model.main_input_name == model.encoder.main_input_name == "input_values"
    assert model.accepts_loss_kwargs is False


@every_case
def test_tuple_holds_what_the_output_holds(case):
    model = shared_model(case)
    x, labels = case.windows(model), labels_for(model)
    options = {"output_hidden_states": True, "output_attentions": model.encoder.has_attentions}
    with torch.no_grad():
        for module, inputs in ((model, (x, labels)), (model, (x,)), (model.encoder, (x,))):
            output, plain = module(*inputs, **options), module(*inputs, **options, return_dict=False)
            assert isinstance(plain, tuple)
            assert len(plain) == len(output.to_tuple())
            flat = zip(tree_leaves(output.to_tuple()), tree_leaves(plain), strict=True)
            assert all(torch.equal(ours, theirs) for ours, theirs in flat)
    assert output.last_hidden_state.shape[::2] == (2, model.config.hidden_size)
    assert output.pooler_output.shape == (2, model.config.hidden_size)


@every_case
def test_evaluation_is_deterministic_and_changes_nothing(case):
    model = shared_model(case)
    x = case.windows(model)
    given, before = x.clone(), buffers(model) | {name: p.detach().clone() for name, p in model.named_parameters()}
    with torch.no_grad():
        first = model(x).logits
        torch.rand(1)
        assert torch.equal(model(x).logits, first)
    assert torch.isfinite(first).all()
    assert torch.equal(x, given)
    after = dict(model.named_buffers()) | dict(model.named_parameters())
    same_tensors(after, before, 0, 0)


@every_case
def test_training_is_random_only_where_dropout_is_declared(case):
    fields = dropout_fields(shared_model(case).config)
    quiet = case.build(**dict.fromkeys(fields, 0.0)).train()
    x = case.windows(quiet, batch=4)
    assert torch.equal(quiet(x).last_hidden_state, quiet(x).last_hidden_state)
    if fields:
        noisy = case.build(**dict.fromkeys(fields, 0.5)).train()
        assert not torch.equal(noisy(x).last_hidden_state, noisy(x).last_hidden_state)
        assert torch.equal(noisy.eval()(x).logits, noisy(x).logits)


@every_case
@pytest.mark.parametrize("head", ["linear", "attention"])
def test_a_window_does_not_see_its_batch(case, head):
    model = shared_model(case, head, torch.float64)
    x = case.windows(model, batch=5)
    with torch.no_grad():
        together, alone = model(x), [model(window[None]) for window in x]
    for name in ("logits", "last_hidden_state", "pooler_output"):
        apart = torch.cat([getattr(output, name) for output in alone])
        scale = float(getattr(together, name).abs().max())
        torch.testing.assert_close(getattr(together, name), apart, rtol=0, atol=1e-11 * scale)


@every_case
def test_memory_layout_of_the_input_does_not_matter(case):
    model = shared_model(case, dtype=torch.float64)
    x = case.windows(model, batch=3)
    time_first, every_other = x.transpose(1, 2).contiguous().transpose(1, 2), x.repeat_interleave(2, dim=0)[::2]
    with torch.no_grad():
        expected = model(x).logits
        for view in (time_first, every_other):
            torch.testing.assert_close(model(view).logits, expected, rtol=1e-11, atol=1e-12)


@every_case
def test_other_lengths_work_or_are_refused_in_words(case):
    model = shared_model(case)
    accepted, refused = case.other_lengths(model)
    assert accepted or model.config.fixed_length
    for length in accepted:
        for batch in (1, 3):
            with torch.no_grad():
                output = model(case.windows(model, batch, length))
            assert output.logits.shape == (batch, model.config.n_targets)
            assert torch.isfinite(output.logits).all()
    for length in refused:
        with pytest.raises(ContractError, match=str(length)):
            model(torch.zeros(1, model.config.n_leads, length))


@every_case
@pytest.mark.parametrize("head", ["linear", "attention"])
def test_extreme_inputs_stay_finite(case, head):
    model = shared_model(case, head)
    x = case.windows(model, batch=4)
    x[0], x[1, 3], x[2] = 0, float("nan"), x[2] * 1e3
    x[3] = float("nan")
    with torch.no_grad():
        output = model(x)
    assert torch.isfinite(output.logits).all()
    assert torch.isfinite(output.last_hidden_state).all()
    with torch.no_grad():
        torch.testing.assert_close(output.logits[3], model(torch.zeros_like(x[:1])).logits[0], rtol=1e-4, atol=1e-5)


@every_case
def test_hidden_states(case):
    """The tokens before the first block and after each, and gradients that reach every one of them."""
    model = case.build()
    x = case.windows(model)
    output = model(x, labels=labels_for(model), output_hidden_states=True)
    states = output.hidden_states
    assert len(states) >= 2
    options = {**case.spec.tiny, **case.spec.tiny_variants.get(case.variant, {})}
    assert "n_layers" not in options or len(states) == options["n_layers"] + 1
    assert all(state.dim() == 3 and state.shape[0] == 2 and torch.isfinite(state).all() for state in states)
    plain = model(x)
    assert plain.hidden_states is None
    assert torch.equal(plain.logits, output.logits)
    for state in states:
        state.retain_grad()
    output.loss.backward()
    for index, state in enumerate(states):
        assert state.grad is not None, index
        assert state.grad.abs().sum() > 0, index
