"""MERL's ResNet-18 in one dimension, without the usual max-pool. Sequences are (batch, time, channels)."""

from __future__ import annotations

from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.layers.convolution import ConvNorm
from hf_ecg_bench.models.merl.configuration_merl import MerlConfig
from hf_ecg_bench.models.trace import Trace


class MerlResNetBlock(GradientCheckpointingLayer):
    """relu(x + two convolutions of kernel 3); the first may halve the length, then x is projected."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(in_channels, out_channels, kernel=3, stride=stride)
        self.conv2 = ConvNorm(out_channels, out_channels, kernel=3)
        same = stride == 1 and in_channels == out_channels
        self.shortcut = None if same else ConvNorm(in_channels, out_channels, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        residual = x if self.shortcut is None else self.shortcut(x, relu=False)
        return self.conv2(self.conv1(x), residual)


class MerlResNet(nn.Module):
    """(batch, leads, time) -> (batch, tokens, widths[-1]), a token per 16 samples (rounded up at each halving)."""

    def __init__(self, config: MerlConfig) -> None:
        super().__init__()
        self.stem = ConvNorm(config.n_leads, config.widths[0], kernel=7, stride=2)
        inputs = [config.widths[0], *config.widths[:-1]]
        self.stages = nn.ModuleList(
            nn.Sequential(
                MerlResNetBlock(inputs[index], width, stride=1 if index == 0 else 2),
                *(MerlResNetBlock(width, width, stride=1) for _ in range(depth - 1)),
            )
            for index, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True))
        )

    def forward(self, input_values: Tensor, trace: Trace) -> Tensor:
        x = self.stem(input_values.transpose(1, 2))
        trace.state(x)
        for stage in self.stages:
            x = stage(x)
            trace.state(x)
        return x

    def pool(self, tokens: Tensor) -> Tensor:
        """The plain mean."""
        return tokens.mean(dim=1)
