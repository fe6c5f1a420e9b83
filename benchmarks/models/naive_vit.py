"""ST-MEM and MERL's ViT: a plain pre-norm vision transformer with the attention weights written out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.models.weights import copy_weights
from hf_ecg_bench.models.registry import get_model_spec


class PreNorm(nn.Module):
    """fn(norm(x))."""

    def __init__(self, size: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm, self.fn = nn.LayerNorm(size), fn

    def forward(self, x: Tensor) -> Tensor:
        return self.fn(self.norm(x))


class Attention(nn.Module):
    """Softmax attention by two matrix products."""

    def __init__(self, size: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads, self.scale = n_heads, (size // n_heads) ** -0.5
        self.to_qkv = nn.Linear(size, 3 * size)
        self.to_out = nn.Sequential(nn.Linear(size, size), nn.Dropout(0.0))

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, size = x.shape
        q, k, v = (part.view(batch, tokens, self.n_heads, -1).transpose(1, 2) for part in self.to_qkv(x).chunk(3, -1))
        weights = torch.softmax(q @ k.transpose(-1, -2) * self.scale, dim=-1)
        return self.to_out((weights @ v).transpose(1, 2).reshape(batch, tokens, size))


class FeedForward(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(size, inner), nn.GELU(), nn.Dropout(0.0), nn.Linear(inner, size), nn.Dropout(0.0)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, size: int, n_heads: int, inner: int) -> None:
        super().__init__()
        self.attn = PreNorm(size, Attention(size, n_heads))
        self.ff = PreNorm(size, FeedForward(size, inner))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        return x + self.ff(x)


class _ViT(nn.Module):
    def __init__(self, size: int, n_layers: int, n_heads: int, inner: int) -> None:
        super().__init__()
        self.n_layers = n_layers
        for index in range(n_layers):
            self.add_module(f"block{index}", Block(size, n_heads, inner))
        self.norm = nn.LayerNorm(size)

    def blocks(self, x: Tensor) -> Tensor:
        for index in range(self.n_layers):
            x = self.get_submodule(f"block{index}")(x)
        return x


class NaiveMerlViT(_ViT):
    """MERL's ViT: patches of all leads together."""

    def __init__(self, ours: nn.Module) -> None:
        config = ours.config
        size = config.hidden_size
        super().__init__(size, config.n_layers, config.n_heads, config.intermediate_size)
        self.to_patch_embedding = nn.Conv1d(12, size, config.patch_size, config.patch_size, bias=False)
        self.pos_embedding = nn.Parameter(torch.empty(1, config.n_patches, size))
        copy_weights(self, ours, get_model_spec("merl"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.to_patch_embedding(torch.nan_to_num(x)).transpose(1, 2)
        x = self.blocks(x + self.pos_embedding)
        return x, self.norm(x.mean(1))


class NaiveStMem(_ViT):
    """ST-MEM: patches of each lead between two separators."""

    def __init__(self, ours: nn.Module) -> None:
        config = ours.config
        size = config.hidden_size
        super().__init__(size, config.n_layers, config.n_heads, config.intermediate_size)
        self.patch = config.patch_size
        self.to_patch_embedding = nn.Sequential(
            nn.Identity(), nn.LayerNorm(self.patch), nn.Linear(self.patch, size), nn.LayerNorm(size)
        )
        self.pos_embedding = nn.Parameter(
            torch.empty_like(ours.state_dict()["position_embedding"]), requires_grad=False
        )
        self.sep_embedding = nn.Parameter(torch.empty(size))
        self.lead_embeddings = nn.ParameterList(nn.Parameter(torch.empty(size)) for _ in range(12))
        copy_weights(self, ours, get_model_spec("st_mem"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        batch, leads, samples = x.shape
        n = samples // self.patch
        x = self.to_patch_embedding(torch.nan_to_num(x).view(batch, leads, n, self.patch))
        x = x + self.pos_embedding[:, None, 1 : n + 1]
        separator = self.sep_embedding.expand(batch, leads, 1, -1)
        left, right = separator + self.pos_embedding[:, None, :1], separator + self.pos_embedding[:, None, -1:]
        x = torch.cat([left, x, right], dim=2)
        x = x + torch.stack(list(self.lead_embeddings))[None, :, None]
        x = self.blocks(x.flatten(1, 2)).view(batch, leads, n + 2, -1)
        x = x[:, :, 1:-1].flatten(1, 2)
        return x, self.norm(x.mean(1))
