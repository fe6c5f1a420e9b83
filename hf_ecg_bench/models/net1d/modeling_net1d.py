"""Net1D: a 1-d convolutional network of bottleneck blocks with squeeze-excitation (Hong et al., KDD 2020).

Inside, sequences are (batch, time, channels): see convolution.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.net1d.configuration_net1d import Net1dConfig
from hf_ecg_bench.models.net1d.convolution import SameConv
from hf_ecg_bench.models.trace import Trace


class Net1dBlock(GradientCheckpointingLayer):
    """Bottleneck of 1x1, grouped, 1x1 convolutions; squeeze-excitation; (batch, time, in) -> out."""

    def __init__(self, in_channels: int, out_channels: int, config: Net1dConfig, downsample: bool, first: bool) -> None:
        super().__init__()
        self.downsample, self.first = downsample, first
        stride, groups = 2 if downsample else 1, out_channels // config.group_width
        self.conv1 = nn.Linear(in_channels, out_channels)  # a 1x1 convolution
        self.conv2 = SameConv(out_channels, out_channels, config.kernel_size, stride=stride, groups=groups)
        self.conv3 = nn.Linear(out_channels, out_channels)
        self.se_fc1 = nn.Linear(out_channels, out_channels // 2)
        self.se_fc2 = nn.Linear(out_channels // 2, out_channels)
        # In every published checkpoint, never applied: kept so that nothing of a checkpoint is lost.
        self.bn1 = nn.BatchNorm1d(in_channels)
        self.bn2 = nn.BatchNorm1d(out_channels)
        self.bn3 = nn.BatchNorm1d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(x if self.first else functional.silu(x))
        y = self.conv2(functional.silu(y))
        y = self.conv3(functional.silu(y))
        gate = self.se_fc2(functional.silu(self.se_fc1(y.mean(dim=1)))).sigmoid()
        return torch.addcmul(self.shortcut(x, y.shape[-1]), y, gate.unsqueeze(1))

    def shortcut(self, x: Tensor, channels: int) -> Tensor:
        """The input at the output's size: samples pooled in pairs (an odd one with 0), zero channels."""
        if self.downsample:
            x = functional.pad(x, (0, 0, 0, x.shape[1] % 2))
            x = functional.max_pool2d(x.transpose(1, 2).unsqueeze(2), (1, 2)).squeeze(2).transpose(1, 2)
        if x.shape[-1] != channels:
            before = (channels - x.shape[-1]) // 2
            x = functional.pad(x, (before, channels - x.shape[-1] - before))
        return x


class Net1dStage(nn.Module):
    """Blocks of one width, the first of which halves the length."""

    def __init__(self, in_channels: int, out_channels: int, depth: int, config: Net1dConfig, first: bool) -> None:
        super().__init__()
        inputs = [in_channels] + [out_channels] * (depth - 1)
        self.block_list = nn.ModuleList(
            Net1dBlock(channels, out_channels, config, index == 0, first and index == 0)
            for index, channels in enumerate(inputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block_list:
            x = block(x)
        return x


class Net1dModel(EcgModel):
    """The backbone: `(batch, 12, time)` -> tokens of width 1024, one per 256 samples (rounded up)."""

    config_class = Net1dConfig
    _no_split_modules = ["Net1dBlock"]

    def __init__(self, config: Net1dConfig) -> None:
        super().__init__(config)
        self.first_conv = SameConv(config.n_leads, config.base_width, config.kernel_size, stride=2)
        self.first_bn = nn.BatchNorm1d(config.base_width)  # never applied, see Net1dBlock
        widths = [config.base_width, *config.widths]
        self.stage_list = nn.ModuleList(
            Net1dStage(widths[index], widths[index + 1], depth, config, first=index == 0)
            for index, depth in enumerate(config.depths)
        )
        self.post_init()

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        x = functional.silu(self.first_conv(input_values.transpose(1, 2)))
        trace.state(x)
        for stage in self.stage_list:
            x = stage(x)
            trace.state(x)
        return x


class Net1dForSequenceClassification(EcgForSequenceClassification):
    """Net1D with a head."""

    config_class = Net1dConfig
    backbone_class = Net1dModel
