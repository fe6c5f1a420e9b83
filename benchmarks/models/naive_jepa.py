"""ECG-JEPA as published: attention over all pairs of tokens under a mask that each forward pass builds again."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.models.weights import copy_weights
from hf_ecg_bench.models.registry import get_model_spec

LEADS = (0, 1, 6, 7, 8, 9, 10, 11)  # I, II, V1-V6


class Attention(nn.Module):
    """Softmax attention by two matrix products, forbidden pairs set to minus infinity."""

    def __init__(self, size: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads, self.scale = n_heads, (size // n_heads) ** -0.5
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.proj = nn.Linear(size, size)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, tokens, size = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-1, -2) * self.scale).masked_fill(~mask, float("-inf"))
        return self.proj((scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(batch, tokens, size))


class Mlp(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(size, inner), nn.GELU(), nn.Linear(inner, size)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, size: int, n_heads: int, inner: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.attn, self.mlp = Attention(size, n_heads), Mlp(size, inner)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x), mask)
        return x + self.mlp(self.norm2(x))


class NaiveJepa(nn.Module):
    """(batch, 12, 2500) -> tokens and pooled features."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        config = ours.config
        size = config.hidden_size
        self.patch = config.patch_size
        self.W_P = nn.Linear(self.patch, size)
        self.pos_embed = nn.Parameter(torch.empty(ours.state_dict()["position_embedding"].shape), requires_grad=False)
        blocks = nn.ModuleList(Block(size, config.n_heads, config.intermediate_size) for _ in range(config.n_layers))
        self.encoder_blocks = nn.ModuleDict({"blocks": blocks})
        self.norm = nn.LayerNorm(size)
        copy_weights(self, ours, get_model_spec("ecg_jepa"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.nan_to_num(x)[:, LEADS]
        batch, leads, samples = x.shape
        n = samples // self.patch
        x = self.W_P(x.view(batch, leads * n, self.patch))
        token = torch.arange(leads * n, device=x.device)
        same_lead = token[:, None] // n == token[None] // n
        same_patch = token[:, None] % n == token[None] % n
        for block in self.encoder_blocks["blocks"]:
            x = block(x + self.pos_embed, same_lead | same_patch)
        x = self.norm(x)
        return x, x.mean(1)
