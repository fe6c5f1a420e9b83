"""ECG-JEPA (Kim, 2024): the encoder of its joint-embedding predictive pretraining."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from transformers import initialization

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.ecg_jepa.attention import LeadPatchAttention, lead_patch_mask
from hf_ecg_bench.models.ecg_jepa.configuration_ecg_jepa import N_TOKEN_LEADS, EcgJepaConfig
from hf_ecg_bench.models.layers.positions import sine_cosine_table
from hf_ecg_bench.models.layers.prenorm import PreNormBlock
from hf_ecg_bench.models.trace import Trace


class EcgJepaBlock(PreNormBlock):
    """A pre-norm block with attention along leads and across them.

    Args:
        depth: which block it is, from 1.
    """

    def __init__(self, config: EcgJepaConfig, depth: int) -> None:
        super().__init__(config, LeadPatchAttention(config, config.n_patches))
        self.depth = depth

    def hf_reset(self) -> None:
        """As in the authors' code: the maps that add to the tokens start smaller, the more so the deeper."""
        smaller = 0.02 / math.sqrt(2 * self.depth)
        initialization.normal_(self.attention.qkv.weight, std=0.02)
        for linear, std in ((self.attention.proj, smaller), (self.fc1, 0.02), (self.fc2, smaller)):
            initialization.normal_(linear.weight, std=std)
            initialization.zeros_(linear.bias)


class EcgJepaModel(EcgModel):
    """The encoder: `(batch, 12, 2500)` -> 400 tokens (8 leads of 50 patches, lead after lead) of width 768.

    Buffers:
        position_embedding: (tokens, hidden_size), fixed, as in the checkpoint.
        mask: (tokens, tokens) bool, which tokens see each other.
    """

    config_class = EcgJepaConfig
    has_attentions = True
    _no_split_modules = ["EcgJepaBlock"]
    _supports_sdpa = True

    position_embedding: Tensor
    mask: Tensor

    def __init__(self, config: EcgJepaConfig) -> None:
        super().__init__(config)
        self.patch_embedding = nn.Linear(config.patch_size, config.hidden_size)
        self.register_buffer("position_embedding", torch.empty(config.n_tokens, config.hidden_size))
        self.register_buffer("mask", torch.empty(config.n_tokens, config.n_tokens, dtype=torch.bool), persistent=False)
        self.blocks = nn.ModuleList(EcgJepaBlock(config, depth) for depth in range(1, config.n_layers + 1))
        self.norm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def hf_reset(self) -> None:
        """The fixed tables, and the patch embedding from N(0, 0.02^2) with zero bias."""
        initialization.copy_(self.position_embedding, position_table(self.config.n_patches, self.config.hidden_size))
        initialization.copy_(self.mask, lead_patch_mask(N_TOKEN_LEADS, self.config.n_patches))
        initialization.normal_(self.patch_embedding.weight, std=0.02)
        initialization.zeros_(self.patch_embedding.bias)

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        leads = torch.cat([input_values[:, :2], input_values[:, 6:]], dim=1)  # I, II, V1 to V6
        x = self.patch_embedding(leads.view(leads.shape[0], self.config.n_tokens, self.config.patch_size))
        trace.state(x)
        for block in self.blocks:  # each gets the positions anew, not the first alone
            x, weights = block(x + self.position_embedding, self.mask, trace.wants_attentions)
            trace.attention(weights)
            trace.state(x)
        return self.norm(x)


class EcgJepaForSequenceClassification(EcgForSequenceClassification):
    """ECG-JEPA with a head."""

    config_class = EcgJepaConfig
    backbone_class = EcgJepaModel


def position_table(n_patches: int, size: int) -> Tensor:
    """(tokens, size): the patch's sines and cosines, then those of the lead, size / 4 each; tokens lead after lead."""
    patch = sine_cosine_table(torch.arange(n_patches), size // 2)
    lead = sine_cosine_table(torch.arange(N_TOKEN_LEADS), size // 2)
    return torch.cat([patch.repeat(N_TOKEN_LEADS, 1), lead.repeat_interleave(n_patches, dim=0)], dim=1)
