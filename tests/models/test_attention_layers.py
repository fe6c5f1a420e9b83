"""Attention by every way it can be computed, and the pre-norm block around it."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.layers.attention import PackedSelfAttention, attend
from hf_ecg_bench.models.layers.positions import sine_cosine_table
from hf_ecg_bench.models.layers.prenorm import PreNormBlock
from tests.models.fills import fill, filled


def config(**changes):
    sizes = {"hidden_size": 24, "n_heads": 3, "intermediate_size": 40, "_attn_implementation": "sdpa"}
    return SimpleNamespace(**{**sizes, **changes})


def masks(tokens: int) -> dict[str, torch.Tensor | None]:
    seen = fill("seen", (tokens, tokens)) > -0.5
    seen.fill_diagonal_(True)
    return {"none": None, "bool": seen, "additive": fill("bias", (2, 1, tokens, tokens))}


@pytest.mark.parametrize("kind", ["none", "bool", "additive"])
def test_attention_is_its_formula_by_every_way(kind):
    query, key, value = (fill(name, (2, 3, 7, 8)).requires_grad_() for name in "qkv")
    mask = masks(7)[kind]
    scores = torch.einsum("bhid,bhjd->bhij", query, key) / math.sqrt(8)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if kind == "bool" else scores + mask
    weights = scores.softmax(-1)
    expected = torch.einsum("bhij,bhjd->bihd", weights, value).reshape(2, 7, 24)
    want = torch.autograd.grad(expected.square().sum(), (query, key, value))
    for options in ({}, {"weights": True}, {"implementation": "eager"}):
        mixed, found = attend(query, key, value, mask=mask, **options)
        torch.testing.assert_close(mixed, expected, rtol=1e-12, atol=1e-13)
        for gradient, right in zip(torch.autograd.grad(mixed.square().sum(), (query, key, value)), want, strict=True):
            torch.testing.assert_close(gradient, right, rtol=1e-10, atol=1e-11)
        assert (found is not None) == bool(options.get("weights"))
        if found is not None:
            torch.testing.assert_close(found, weights, rtol=1e-12, atol=1e-13)


def test_dropout_acts_on_the_weights_and_the_answered_weights_are_whole():
    query, key = fill("q", (1, 1, 50, 4)), fill("k", (1, 1, 50, 4))
    torch.manual_seed(0)
    mixed, weights = attend(query, key, torch.eye(50, dtype=torch.float64)[None, None], dropout=0.5, weights=True)
    assert weights is not None
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 1, 50, dtype=torch.float64))
    kept = mixed[0] != 0
    assert 0.4 < float(kept.double().mean()) < 0.6
    torch.testing.assert_close(mixed[0][kept], 2 * weights[0, 0][kept])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_scores_in_half_precision_are_normalised_in_float32(dtype):
    query, key, value = (fill(name, (1, 2, 300, 8)).to(dtype) for name in "qkv")
    for mixed, weights in (attend(query, key, value), attend(query, key, value, weights=True)):
        assert mixed.dtype == dtype
        exact, _ = attend(query.double(), key.double(), value.double())
        assert float((mixed.double() - exact).abs().max()) < 0.02
        assert weights is None or weights.dtype == dtype


def test_packed_attention_splits_query_key_value_head_by_head():
    attention = filled(PackedSelfAttention(config()))
    x = fill("x", (2, 5, 24))
    query, key, value = (part.view(2, 5, 3, 8) for part in attention.qkv(x).split(24, dim=-1))
    weights = (torch.einsum("bihd,bjhd->bhij", query, key) / math.sqrt(8)).softmax(-1)
    expected = attention.proj(torch.einsum("bhij,bjhd->bihd", weights, value).reshape(2, 5, 24))
    torch.testing.assert_close(attention(x)[0], expected, rtol=1e-12, atol=1e-13)
    assert PackedSelfAttention(config(), qkv_bias=False).qkv.bias is None
    wide = PackedSelfAttention(config(), inner_size=48)
    assert wide(x.float())[0].shape == (2, 5, 24)
    with pytest.raises(ContractError, match="5 heads"):
        PackedSelfAttention(config(n_heads=5))


def test_block_is_its_formula_with_and_without_gradients():
    block = filled(PreNormBlock(config(), PackedSelfAttention(config())))
    x = fill("x", (2, 5, 24))
    y = x + block.attention(block.norm1(x))[0]
    expected = y + block.fc2(functional.gelu(block.fc1(block.norm2(y))))
    given = x.clone()
    with torch.no_grad():
        torch.testing.assert_close(block(x)[0], expected, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(block(x, None, True)[0], expected, rtol=1e-12, atol=1e-13)
    assert torch.equal(x, given)
    assert block.norm1.eps == block.norm2.eps == 1e-5


def test_position_table():
    table = sine_cosine_table(torch.tensor([0, 3]), 8)
    rates = [1.0, 10000**-0.25, 10000**-0.5, 10000**-0.75]
    expected = [[0.0] * 4 + [1.0] * 4, [math.sin(3 * r) for r in rates] + [math.cos(3 * r) for r in rates]]
    torch.testing.assert_close(table, torch.tensor(expected))
