"""The two heads of the paper's protocol."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization


class LinearHead(nn.Linear):
    """One linear layer on pooled features: (batch, hidden_size) -> (batch, targets)."""

    reads: ClassVar[str] = "pooler_output"

    def __init__(self, hidden_size: int, n_targets: int) -> None:
        super().__init__(hidden_size, n_targets)


class AttentionPoolingHead(nn.Module):
    """A learned query attends over the tokens; no biases, norms or residuals (as in V-JEPA's probes).

    Per head, softmax(q k^T / sqrt(d)) v with q = query W_q^T, k = x W_k^T, v = x W_v^T; the heads, side by
    side, are mapped to the targets by W_c. One query serves all tokens, so W_k is folded into the query and
    W_v applied after the weighted sum: the same numbers for tokens * heads + hidden_size multiplications per
    feature instead of 2 * tokens * hidden_size.

    Input (batch, tokens, hidden_size), output (batch, targets).
    """

    reads: ClassVar[str] = "last_hidden_state"
    n_heads: ClassVar[int] = 16

    def __init__(self, hidden_size: int, n_targets: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.empty(1, 1, hidden_size))
        self.q_proj = nn.Linear(hidden_size, hidden_size, bias=False)
        self.k_proj = nn.Linear(hidden_size, hidden_size, bias=False)
        self.v_proj = nn.Linear(hidden_size, hidden_size, bias=False)
        self.c_proj = nn.Linear(hidden_size, n_targets, bias=False)
        self.hf_reset()

    def hf_reset(self) -> None:
        """The head's own parameters as at initialisation."""
        initialization.normal_(self.query, std=1 / math.sqrt(self.query.shape[-1]))

    def forward(self, tokens: Tensor) -> Tensor:
        size = tokens.shape[-1]
        width = size // self.n_heads
        query = self.q_proj(self.query).view(self.n_heads, 1, width)
        keys = (query @ self.k_proj.weight.view(self.n_heads, width, size)).view(self.n_heads, size)
        scores = functional.linear(tokens, keys.to(tokens.dtype)) / math.sqrt(width)  # (batch, tokens, heads)
        pooled = scores.softmax(dim=1).transpose(1, 2).to(tokens.dtype) @ tokens  # (batch, heads, size)
        values = torch.einsum("bhe,hde->bhd", pooled, self.v_proj.weight.view(self.n_heads, width, size))
        return self.c_proj(values.flatten(1))


HEADS: dict[str, type[LinearHead] | type[AttentionPoolingHead]] = {
    "linear": LinearHead,
    "attention": AttentionPoolingHead,
}
