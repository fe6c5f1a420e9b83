"""Multi-head self-attention as transformers' own models offer it: fused (`sdpa`) or step by step (`eager`)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.layers.dropout import dropout as drop


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None = None,
    dropout: float = 0.0,
    weights: bool = False,
    implementation: str = "sdpa",
) -> tuple[Tensor, Tensor | None]:
    """softmax(query key^T / sqrt(head_width)) value, heads side by side.

    Args:
        query, key, value: (batch, heads, tokens, head_width).
        mask: bool, True where a query (row) sees a key (column), or floating-point and added to the scores;
            broadcast to (batch, heads, tokens, tokens).
        dropout: probability for the weights; pass 0 outside training.
        weights: also return the weights, which the fused kernels never build.
        implementation: `sdpa` or `eager`, as in `config._attn_implementation`.

    Returns:
        (batch, tokens, heads * head_width), and the weights (batch, heads, tokens, tokens) or None.
    """
    drawn = dropout > 0 and query.device.type == "cpu"  # no fused kernel has dropout there
    if implementation == "sdpa" and not weights and not drawn:
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        return mixed.transpose(1, 2).flatten(2), None
    scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    probabilities = scores.softmax(dim=-1, dtype=softmax_dtype(scores)).to(value.dtype)
    mixed = drop(probabilities, dropout)
    return (mixed @ value).transpose(1, 2).flatten(2), probabilities if weights else None


def softmax_dtype(scores: Tensor) -> torch.dtype:
    """float32 for scores in half precision, as fused kernels compute; else the scores' own."""
    return torch.float32 if scores.dtype in (torch.float16, torch.bfloat16) else scores.dtype


class PackedSelfAttention(nn.Module):
    """Self-attention whose query, key and value come from one Linear.

    Output features of `qkv` are query, key, value, and inside each head after head, as in timm's ViT.
    `config` gives hidden_size, n_heads and the implementation (`config._attn_implementation`, which
    `model.set_attn_implementation` changes).

    Args:
        qkv_bias: whether `qkv` has a bias; `proj` always has.
        inner_size: heads * head_width where it is not hidden_size.
    """

    def __init__(self, config: EcgConfig, qkv_bias: bool = True, inner_size: int | None = None) -> None:
        super().__init__()
        self.config = config
        self.n_heads: int = config.n_heads
        inner = inner_size or config.hidden_size
        if inner % self.n_heads:
            raise ContractError(f"{inner} features cannot be split into {self.n_heads} heads (n_heads)")
        self.qkv = nn.Linear(config.hidden_size, 3 * inner, bias=qkv_bias)
        self.proj = nn.Linear(inner, config.hidden_size)

    def forward(self, x: Tensor, mask: Tensor | None = None, weights: bool = False) -> tuple[Tensor, Tensor | None]:
        """(batch, tokens, hidden_size) -> the same shape, and the weights where they are asked for."""
        mixed, probabilities = attend(
            *self.split(self.qkv(x)), mask=mask, weights=weights, implementation=implementation_of(self.config)
        )
        return self.proj(mixed), probabilities

    def split(self, packed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `qkv` gave -> query, key and value as views (batch, heads, tokens, head_width)."""
        batch, tokens, _ = packed.shape
        query, key, value = packed.view(batch, tokens, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        return query, key, value


def implementation_of(config: EcgConfig) -> str:
    """`sdpa` or `eager`; a configuration that no model has touched yet means `sdpa`."""
    return getattr(config, "_attn_implementation", None) or "sdpa"
