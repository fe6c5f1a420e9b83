"""The pre-norm transformer block of ECG-JEPA, ST-MEM and MERL's ViT."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.configuration import EcgConfig


class PreNormBlock(GradientCheckpointingLayer):
    """x + attention(norm1(x)), then x + fc2(gelu(fc1(norm2(x)))); exact GELU, LayerNorm eps 1e-5.

    `config` gives hidden_size and intermediate_size.

    Args:
        attention: called as attention(x, mask, weights) -> (output, weights or None), for example a
            PackedSelfAttention.
    """

    def __init__(self, config: EcgConfig, attention: nn.Module) -> None:
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
        return x + self.fc2(functional.gelu(self.fc1(self.norm2(x)))), probabilities
