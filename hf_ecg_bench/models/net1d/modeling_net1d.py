"""Net1D: a regular 1-d convolutional network of bottleneck blocks with squeeze-excitation (Hong et al., KDD 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.net1d.configuration_net1d import Net1dConfig


class SameConv(nn.Module):
    """Convolution with ceil(length / stride) outputs; where the zero padding is odd, the extra zero goes right."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, stride=stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        (kernel,), (stride,), length = self.conv.kernel_size, self.conv.stride, x.shape[-1]
        total = max(0, (-(-length // stride) - 1) * stride + kernel - length)
        if total % 2:
            x = functional.pad(x, (0, 1))
        return functional.conv1d(
            x, self.conv.weight, self.conv.bias, stride=stride, padding=total // 2, groups=self.conv.groups
        )


class Net1dBlock(nn.Module):
    """1x1, grouped and 1x1 convolution, squeeze-excitation, shortcut; (batch, in, time) -> (batch, out, time')."""

    def __init__(
        self, in_channels: int, out_channels: int, config: Net1dConfig, downsample: bool, first: bool
    ) -> None:
        super().__init__()
        self.downsample, self.first = downsample, first
        self.conv1 = SameConv(in_channels, out_channels, 1)
        self.conv2 = SameConv(
            out_channels,
            out_channels,
            config.kernel_size,
            stride=2 if downsample else 1,
            groups=out_channels // config.group_width,
        )
        self.conv3 = SameConv(out_channels, out_channels, 1)
        self.se_fc1 = nn.Linear(out_channels, out_channels // 2)
        self.se_fc2 = nn.Linear(out_channels // 2, out_channels)
        # In every published checkpoint, never applied: kept so that nothing of a checkpoint is lost.
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm1d(n) for n in (in_channels, out_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(x if self.first else functional.silu(x))
        y = self.conv2(functional.silu(y))
        y = self.conv3(functional.silu(y))
        gate = self.se_fc2(functional.silu(self.se_fc1(y.mean(dim=-1)))).sigmoid()
        return torch.addcmul(self.shortcut(x, y.shape[1]), y, gate.unsqueeze(-1))

    def shortcut(self, x: Tensor, channels: int) -> Tensor:
        """The input at the output's size: pairs of samples pooled (a last odd one with 0), zero channels on both sides."""
        if self.downsample:
            x = functional.max_pool1d(functional.pad(x, (0, x.shape[-1] % 2)), 2)
        if x.shape[1] != channels:
            before = (channels - x.shape[1]) // 2
            x = functional.pad(x, (0, 0, before, channels - x.shape[1] - before))
        return x


class Net1dStage(nn.Module):
    """Blocks of one width, the first of which halves the length."""

    def __init__(
        self, in_channels: int, out_channels: int, depth: int, config: Net1dConfig, first: bool
    ) -> None:
        super().__init__()
        self.block_list = nn.ModuleList(
            Net1dBlock(
                in_channels if index == 0 else out_channels,
                out_channels,
                config,
                index == 0,
                first and index == 0,
            )
            for index in range(depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block_list:
            x = block(x)
        return x


class Net1dModel(EcgModel):
    """The backbone: `(batch, 12, time)` -> tokens of width 1024, one per 256 samples (rounded up)."""

    config_class = Net1dConfig

    def __init__(self, config: Net1dConfig) -> None:
        super().__init__(config)
        self.first_conv = SameConv(config.n_leads, config.base_width, config.kernel_size, stride=2)
        self.first_bn = nn.BatchNorm1d(config.base_width)  # never applied, see Net1dBlock
        inputs = [config.base_width, *config.widths[:-1]]
        self.stage_list = nn.ModuleList(
            Net1dStage(in_channels, out_channels, depth, config, first=index == 0)
            for index, (in_channels, out_channels, depth) in enumerate(
                zip(inputs, config.widths, config.depths, strict=True)
            )
        )
        self.post_init()

    def forward_features(self, input_values: Tensor) -> Tensor:
        """See EcgModel."""
        x = functional.silu(self.first_conv(input_values))
        for stage in self.stage_list:
            x = stage(x)
        return x.transpose(1, 2)


class Net1dForSequenceClassification(EcgForSequenceClassification):
    """Net1D with a head."""

    config_class = Net1dConfig
    backbone_class = Net1dModel
