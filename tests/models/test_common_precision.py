"""Half precision and autocast: finite, in the dtype asked for, near float32."""

from __future__ import annotations

import pytest
import torch

from tests.models.common import (
    both_heads,
    close_to_scale,
    dropout_fields,
    every_case,
    gradients,
    labels_for,
    shared_model,
)

HALVES = {torch.float16: 0.03, torch.bfloat16: 0.15}  # dtype -> share of the scale that may be lost
every_half = pytest.mark.parametrize("dtype", HALVES, ids=str)


@every_case
@both_heads
@every_half
def test_half_precision_weights(case, head, dtype):
    reference, model = shared_model(case, head), case.build(head).to(dtype)
    x = case.windows(reference, batch=3)
    with torch.no_grad():
        expected, found = reference(x), model(x)
    assert found.logits.dtype == found.last_hidden_state.dtype == found.pooler_output.dtype == dtype
    for name in ("last_hidden_state", "pooler_output"):
        close_to_scale(getattr(found, name), getattr(expected, name), HALVES[dtype])
    assert torch.isfinite(found.logits).all()


@every_case
@both_heads
def test_half_precision_weights_learn(case, head):
    model = case.build(head).to(torch.bfloat16).train()
    found = gradients(model, case.windows(model, batch=4), labels_for(model, batch=4))
    assert all(torch.isfinite(value).all() for value in found.values())


@every_case
@both_heads
@every_half
def test_autocast_forward_and_backward(case, head, dtype):
    """As under a Trainer's bf16 or fp16: float32 weights and gradients, half-precision products."""
    model = case.build(head, **dict.fromkeys(dropout_fields(shared_model(case).config), 0.0)).train()
    x, labels = case.windows(model, batch=4), labels_for(model, batch=4)
    expected = gradients(model, x, labels)
    with torch.autocast("cpu", dtype=dtype):
        found = gradients(model, x, labels)
        assert model(x).loss is None
    torch.testing.assert_close(found["loss"].float(), expected["loss"], rtol=0.05, atol=0.02)
    assert found.keys() == expected.keys()
    flat = {}
    for kind, values in (("found", found), ("expected", expected)):
        assert all(torch.isfinite(value).all() for value in values.values())
        assert all(value.dtype == torch.float32 for name, value in values.items() if name != "loss")
        flat[kind] = torch.cat([value.flatten() for name, value in values.items() if name != "loss"])
    cosine = torch.nn.functional.cosine_similarity(flat["found"], flat["expected"], dim=0)
    assert float(cosine) > 0.9


@every_case
def test_autocast_evaluation_is_near_float32(case):
    model = shared_model(case)
    x = case.windows(model)
    with torch.no_grad():
        expected = model(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = model(x)
    close_to_scale(found.last_hidden_state, expected.last_hidden_state, 0.15)
    close_to_scale(found.pooler_output, expected.pooler_output, 0.15)
