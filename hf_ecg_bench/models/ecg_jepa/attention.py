"""ECG-JEPA's attention: a token sees the tokens of its lead and those of its patch, 57 of 400."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.layers.attention import PackedSelfAttention, implementation_of, softmax_dtype


def lead_patch_mask(n_leads: int, n_patches: int) -> Tensor:
    """(tokens, tokens) bool, tokens lead after lead: whether two share their lead or their patch."""
    token = torch.arange(n_leads * n_patches)
    lead, patch = token // n_patches, token % n_patches
    return (lead[:, None] == lead) | (patch[:, None] == patch)


def attend_lead_patch(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention under `lead_patch_mask`, with scores only where the mask allows them.

    Scores with the token's own lead (a row of the lead-patch grid) and with its patch (a column) stand side by
    side under one softmax. The token itself is in both: it counts in the row.

    Args:
        query, key, value: (batch, heads, leads, patches, head_width).

    Returns:
        (batch, leads * patches, heads * head_width).
    """
    leads, patches, width = query.shape[-3:]
    query = query / math.sqrt(width)
    itself = torch.eye(leads, dtype=torch.bool, device=query.device)[:, None]
    along_lead = query @ key.transpose(-1, -2)
    across_leads = torch.einsum("bhlpd,bhmpd->bhlpm", query, key).masked_fill(itself, -math.inf)
    scores = torch.cat([along_lead, across_leads], dim=-1)
    weights = scores.softmax(dim=-1, dtype=softmax_dtype(scores)).to(value.dtype)
    along_lead, across_leads = weights.split([patches, leads], dim=-1)
    mixed = along_lead @ value + torch.einsum("bhlpm,bhmpd->bhlpd", across_leads, value)
    return mixed.permute(0, 2, 3, 1, 4).reshape(query.shape[0], leads * patches, -1)


class LeadPatchAttention(PackedSelfAttention):
    """Self-attention under `lead_patch_mask`.

    Args:
        n_patches: tokens of each lead.
    """

    def __init__(self, config: EcgConfig, n_patches: int) -> None:
        super().__init__(config, qkv_bias=False)
        self.n_patches = n_patches

    def forward(self, x: Tensor, mask: Tensor | None = None, weights: bool = False) -> tuple[Tensor, Tensor | None]:
        """See PackedSelfAttention. `mask` must be `lead_patch_mask`.

        A CPU is fastest without the scores that the mask forbids; accelerators have fused kernels for all of them.
        """
        if weights or x.device.type != "cpu" or implementation_of(self.config) != "sdpa":
            return super().forward(x, mask, weights)
        packed = self.qkv(x).view(x.shape[0], -1, self.n_patches, 3, self.n_heads, x.shape[-1] // self.n_heads)
        query, key, value = packed.permute(3, 0, 4, 1, 2, 5).contiguous().unbind(0)
        return self.proj(attend_lead_patch(query, key, value)), None
