"""ST-MEM (Na et al., ICLR 2024): the encoder of its spatio-temporal masked autoencoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import initialization

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.layers.attention import PackedSelfAttention
from hf_ecg_bench.models.layers.prenorm import PreNormBlock
from hf_ecg_bench.models.st_mem.configuration_st_mem import StMemConfig
from hf_ecg_bench.models.st_mem.embedding import (
    PatchEmbedding,
    lead_table,
    position_table,
    with_separators,
    without_separators,
)
from hf_ecg_bench.models.trace import Trace


class StMemBlock(PreNormBlock):
    """A pre-norm block with full attention."""

    def __init__(self, config: StMemConfig) -> None:
        super().__init__(config, PackedSelfAttention(config))

    def hf_reset(self) -> None:
        """As in the authors' code: Xavier uniform, zero biases."""
        for linear in (self.attention.qkv, self.attention.proj, self.fc1, self.fc2):
            initialization.xavier_uniform_(linear.weight)
            initialization.zeros_(linear.bias)


class StMemModel(EcgModel):
    """The encoder: `(batch, 12, 75 n)` -> 12 n tokens (lead after lead) of width 768, not normalised.

    Buffers:
        position_embedding: (1, max_patches + 2, hidden_size), fixed, as in the checkpoint; see `lead_table`.
    """

    config_class = StMemConfig
    has_attentions = True
    _no_split_modules = ["StMemBlock"]
    _supports_sdpa = True

    position_embedding: Tensor

    def __init__(self, config: StMemConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.patch_embedding = PatchEmbedding(config)
        self.register_buffer("position_embedding", torch.empty(1, config.max_patches + 2, size))
        self.sep_embedding = nn.Parameter(torch.empty(size))
        self.lead_embeddings = nn.ParameterList(nn.Parameter(torch.empty(size)) for _ in range(config.n_leads))
        self.blocks = nn.ModuleList(StMemBlock(config) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(size)
        self.post_init()

    def hf_reset(self) -> None:
        """The fixed positions; separator and leads from N(0, 0.02^2)."""
        initialization.copy_(self.position_embedding, position_table(self.config.max_patches, self.config.hidden_size))
        for embedding in (self.sep_embedding, *self.lead_embeddings):
            initialization.normal_(embedding, std=0.02)

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        patches = self.patch_embedding(input_values.unflatten(2, (-1, self.config.patch_size)))
        leads = torch.stack(list(self.lead_embeddings))
        x = with_separators(patches, lead_table(self.position_embedding, self.sep_embedding, leads, patches.shape[2]))
        trace.state(x)
        for block in self.blocks:
            x, weights = block(x, None, trace.wants_attentions)
            trace.attention(weights)
            trace.state(x)
        return without_separators(x, self.config.n_leads)

    def pool(self, tokens: Tensor) -> Tensor:
        """The mean, then the norm: pooled features are normalised, tokens are not."""
        return self.norm(tokens.mean(dim=1))


class StMemForSequenceClassification(EcgForSequenceClassification):
    """ST-MEM with a head."""

    config_class = StMemConfig
    backbone_class = StMemModel
