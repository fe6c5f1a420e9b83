"""The post-norm transformer of wav2vec 2.0, which HuBERT-ECG and ECG-FM share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.layers.attention import attend, implementation_of
from hf_ecg_bench.models.layers.dropout import dropout
from hf_ecg_bench.models.layers.postnorm_configuration import PostNormConfig
from hf_ecg_bench.models.layers.postnorm_position import PositionalConvolution
from hf_ecg_bench.models.trace import Trace


class PostNormLayer(GradientCheckpointingLayer):
    """x = attention_norm(x + attention(x)), then final_norm(x + fc2(gelu(fc1(x)))); on (batch, tokens, width)."""

    def __init__(self, config: PostNormConfig) -> None:
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.config = config
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_norm = nn.LayerNorm(width)

    def hf_reset(self) -> None:
        """Linear maps from N(0, 0.02^2) with zero biases, as in fairseq's and transformers' wav2vec 2.0."""
        for linear in (self.q_proj, self.k_proj, self.v_proj, self.out_proj, self.fc1, self.fc2):
            initialization.normal_(linear.weight, std=0.02)
            initialization.zeros_(linear.bias)

    def forward(self, x: Tensor, weights: bool = False) -> tuple[Tensor, Tensor | None]:
        """The tokens after the layer, and the attention weights where they are asked for."""
        config, heads = self.config, (*x.shape[:2], self.config.n_heads, -1)
        mixed, probabilities = attend(
            self.q_proj(x).view(heads).transpose(1, 2),
            self.k_proj(x).view(heads).transpose(1, 2),
            self.v_proj(x).view(heads).transpose(1, 2),
            dropout=config.attention_dropout if self.training else 0.0,
            weights=weights,
            implementation=implementation_of(config),
        )
        x = self.attention_norm(x + dropout(self.out_proj(mixed), config.hidden_dropout, self.training))
        inner = dropout(functional.gelu(self.fc1(x)), config.activation_dropout, self.training)
        return self.final_norm(x + dropout(self.fc2(inner), config.hidden_dropout, self.training)), probabilities


class PostNormTransformer(nn.Module):
    """Convolutional positions, a norm, the layers; no norm at the end, as each layer ends in one."""

    def __init__(self, config: PostNormConfig) -> None:
        super().__init__()
        self.config = config
        self.position = PositionalConvolution(config)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.layers = nn.ModuleList(PostNormLayer(config) for _ in range(config.n_layers))

    def forward(self, x: Tensor, trace: Trace) -> Tensor:
        """(batch, tokens, hidden_size) -> the same shape."""
        x = self.norm(x + functional.gelu(self.position(x)))
        x = dropout(x, self.config.hidden_dropout, self.training)
        trace.state(x)
        for layer, skipped in zip(self.layers, self._skipped(), strict=True):
            if skipped is True:
                trace.state(x)
                continue
            y, weights = layer(x, trace.wants_attentions)
            x = torch.where(skipped.to(x.device), x, y) if isinstance(skipped, Tensor) else y
            trace.attention(weights)
            trace.state(x)
        return x

    def _skipped(self) -> Sequence[bool | Tensor]:
        """Which layers this pass leaves out (layer drop, A. Fan et al., ICLR 2020)."""
        probability = self.config.layer_drop
        if not self.training or probability == 0:
            return [False] * len(self.layers)
        skipped = torch.rand(len(self.layers)) < probability
        # A compiled graph cannot branch on a draw: there the layer runs and a tensor chooses.
        return skipped.unbind() if torch.compiler.is_compiling() else skipped.tolist()
