"""ST-MEM's tokens: patches of each lead between two separators, with positions and lead embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization

from hf_ecg_bench.models.layers.positions import sine_cosine_table
from hf_ecg_bench.models.st_mem.configuration_st_mem import StMemConfig


class PatchEmbedding(nn.Module):
    """(batch, leads, patches, patch_size) -> (batch, leads, patches, hidden_size): norm, linear map, norm."""

    def __init__(self, config: StMemConfig) -> None:
        super().__init__()
        self.input_norm = nn.LayerNorm(config.patch_size)
        self.linear = nn.Linear(config.patch_size, config.hidden_size)
        self.output_norm = nn.LayerNorm(config.hidden_size)

    def hf_reset(self) -> None:
        """As in the authors' code: Xavier uniform, zero bias."""
        initialization.xavier_uniform_(self.linear.weight)
        initialization.zeros_(self.linear.bias)

    def forward(self, patches: Tensor) -> Tensor:
        return self.output_norm(self.linear(self.input_norm(patches)))


def lead_table(position_embedding: Tensor, separator: Tensor, leads: Tensor, n_patches: int) -> Tensor:
    """What is added to the tokens of windows of `n_patches` patches, zeros standing for the separators' own tokens.

    Args:
        position_embedding: (1, max_patches + 2, width). The first row is the left separator's, the last one the right
            separator's, whatever the number of patches; patch j (from 0) has row j + 1.
        separator: (width,), both separators' embedding.
        leads: (leads, width).

    Returns:
        (leads, n_patches + 2, width).
    """
    rows = position_embedding[0]
    left, right = separator + rows[:1], separator + rows[-1:]
    return torch.cat([left, rows[1 : n_patches + 1], right])[None] + leads[:, None]


def with_separators(patches: Tensor, table: Tensor) -> Tensor:
    """Embedded patches (batch, leads, n, width) -> tokens (batch, leads * (n + 2), width), lead after lead."""
    return (functional.pad(patches, (0, 0, 1, 1)) + table).flatten(1, 2)


def without_separators(tokens: Tensor, n_leads: int) -> Tensor:
    """Tokens (batch, leads * (n + 2), width) -> those of patches (batch, leads * n, width)."""
    return tokens.unflatten(1, (n_leads, -1))[:, :, 1:-1].flatten(1, 2)


def position_table(max_patches: int, size: int) -> Tensor:
    """(1, max_patches + 2, size): sines and cosines between two rows of zeros."""
    return functional.pad(sine_cosine_table(torch.arange(max_patches), size), (0, 0, 1, 1))[None]
