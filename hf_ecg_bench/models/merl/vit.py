"""MERL's ViT-tiny in one dimension."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import initialization

from hf_ecg_bench.models.layers.attention import PackedSelfAttention
from hf_ecg_bench.models.layers.prenorm import PreNormBlock
from hf_ecg_bench.models.merl.configuration_merl import MerlConfig
from hf_ecg_bench.models.trace import Trace


class MerlViT(nn.Module):
    """(batch, leads, n_patches * patch_size) -> (batch, n_patches, hidden_size); a patch spans all leads."""

    def __init__(self, config: MerlConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.patch_embedding = nn.Conv1d(config.n_leads, size, config.patch_size, stride=config.patch_size, bias=False)
        self.position_embedding = nn.Parameter(torch.empty(1, config.n_patches, size))
        self.blocks = nn.ModuleList(PreNormBlock(config, PackedSelfAttention(config)) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(size)
        self.hf_reset()

    def hf_reset(self) -> None:
        """Positions as at initialisation: N(0, 1)."""
        initialization.normal_(self.position_embedding)

    def forward(self, input_values: Tensor, trace: Trace) -> Tensor:
        x = self.patch_embedding(input_values).transpose(1, 2) + self.position_embedding
        trace.state(x)
        for block in self.blocks:
            x, weights = block(x, None, trace.wants_attentions)
            trace.attention(weights)
            trace.state(x)
        return x

    def pool(self, tokens: Tensor) -> Tensor:
        """The mean, then the norm; the tokens themselves are not normalised."""
        return self.norm(tokens.mean(dim=1))
