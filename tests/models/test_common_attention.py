"""Models with attention: weights that are weights, and one result by every implementation."""

from __future__ import annotations

import pytest
import torch

from hf_ecg_bench.errors import ContractError
from tests.models.common import CASES, close_to_scale, dropout_fields, every_case, gradients, labels_for, shared_model

WITH_ATTENTION = [case for case in CASES if shared_model(case).encoder.has_attentions]
every_attention = pytest.mark.parametrize("case", WITH_ATTENTION, ids=str)


@every_case
def test_attention_weights_are_answered_or_refused(case):
    model = shared_model(case)
    if model.encoder.has_attentions:
        assert model._supports_sdpa
        assert model.encoder._supports_sdpa
    else:
        with pytest.raises(ContractError, match="no attention"):
            model(case.windows(model), output_attentions=True)


@every_attention
def test_attention_weights(case):
    model = shared_model(case, dtype=torch.float64)
    x = case.windows(model, batch=3)
    with torch.no_grad():
        plain, traced = model(x), model(x, output_attentions=True)
    assert plain.attentions is None
    torch.testing.assert_close(traced.logits, plain.logits, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(traced.last_hidden_state, plain.last_hidden_state, rtol=1e-10, atol=1e-12)
    assert len(traced.attentions) == model.config.n_layers
    for weights in traced.attentions:
        assert weights.dim() == 4
        assert weights.shape[:2] == (3, model.config.n_heads)
        assert weights.shape[2] == weights.shape[3]
        assert float(weights.min()) >= 0
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones_like(weights[..., 0]), rtol=0, atol=1e-9)


@every_attention
def test_eager_attention_equals_the_fused_one(case):
    """Outputs and gradients, chosen when the model is built and afterwards."""
    fields = dict.fromkeys(dropout_fields(shared_model(case).config), 0.0)
    fused = case.build(**fields).double().train()
    assert fused.config._attn_implementation == "sdpa"
    eager = case.build(**fields, attn_implementation="eager").double().train()
    assert eager.config._attn_implementation == "eager"
    x, labels = case.windows(fused, batch=3), labels_for(fused, batch=3)
    expected = gradients(fused, x, labels)
    found = gradients(eager, x, labels)
    fused.set_attn_implementation("eager")
    assert fused.encoder.config._attn_implementation == "eager"
    switched = gradients(fused, x, labels)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            switched[name], value, rtol=1e-8, atol=1e-11, msg=lambda text, n=name: f"{n}: {text}"
        )
        torch.testing.assert_close(found[name], value, rtol=1e-8, atol=1e-11, msg=lambda text, n=name: f"{n}: {text}")


@every_attention
def test_eager_attention_is_close_in_half_precision(case):
    model = case.build().to(torch.bfloat16)
    x = case.windows(model)
    with torch.no_grad():
        fused = model(x).last_hidden_state
        model.set_attn_implementation("eager")
        close_to_scale(model(x).last_hidden_state, fused, 0.05)
