"""The pre-norm transformer block of ECG-JEPA, ST-MEM and MERL's ViT."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.layers.attention import PackedSelfAttention


class PreNormBlock(GradientCheckpointingLayer):
    """x + attention(norm1(x)), then x + fc2(gelu(fc1(norm2(x)))); exact GELU, LayerNorm eps 1e-5.

    `config` gives hidden_size and intermediate_size.

    Args:
        attention: the block's own.
    """

    def __init__(self, config: EcgConfig, attention: PackedSelfAttention) -> None:
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.norm1 = nn.LayerNorm(width)
        self.attention = attention
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: Tensor, mask: Tensor | None = None, weights: bool = False) -> tuple[Tensor, Tensor | None]:
        """(batch, tokens, hidden_size) -> the same shape, and the attention weights where they are asked for.

        Pass everything by position: gradient checkpointing keeps gradients of positional tensors only.
        """
        mixed, probabilities = self.attention(self.norm1(x), mask, weights)
        x = x + mixed
        return x + self.fc2(gelu(self.fc1(self.norm2(x)))), probabilities


def gelu(x: Tensor) -> Tensor:
    """Exact GELU of a tensor that nobody else needs: in place where no gradients are kept.

    The inner tensor is a block's largest; fresh memory for a second one costs more than the function itself.
    """
    return functional.gelu(x) if torch.is_grad_enabled() else torch.ops.aten.gelu_(x)
