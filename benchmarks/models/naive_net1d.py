"""Net1D (ECGFounder's network) as its authors write it: nn.Conv1d on (batch, channels, time) behind a pad."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.models.weights import copy_weights
from hf_ecg_bench.models.registry import get_model_spec


class SameConv(nn.Module):
    """A convolution with ceil(time / stride) outputs; the extra zero goes right."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride=stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        outputs = -(-x.shape[-1] // self.stride)
        total = max(0, (outputs - 1) * self.stride + self.kernel - x.shape[-1])
        return self.conv(functional.pad(x, (total // 2, total - total // 2)))


class Block(nn.Module):
    """Bottleneck, squeeze-excitation and a shortcut without weights."""

    def __init__(self, inputs: int, outputs: int, kernel: int, group_width: int, down: bool, first: bool) -> None:
        super().__init__()
        self.down, self.first = down, first
        self.conv1 = SameConv(inputs, outputs, 1)
        self.conv2 = SameConv(outputs, outputs, kernel, 2 if down else 1, outputs // group_width)
        self.conv3 = SameConv(outputs, outputs, 1)
        self.se_fc1 = nn.Linear(outputs, outputs // 2)
        self.se_fc2 = nn.Linear(outputs // 2, outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.first else swish(x)
        y = self.conv3(swish(self.conv2(swish(self.conv1(y)))))
        gate = torch.sigmoid(self.se_fc2(swish(self.se_fc1(y.mean(-1)))))
        y = torch.einsum("bcl,bc->bcl", y, gate)
        if self.down:
            x = functional.max_pool1d(functional.pad(x, (0, 1)), 2, 2)
        missing = y.shape[1] - x.shape[1]
        if missing:
            x = functional.pad(x.transpose(-1, -2), (missing // 2, missing - missing // 2)).transpose(-1, -2)
        return y + x


class Stage(nn.Module):
    """Blocks of one width."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self.block_list = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block_list:
            x = block(x)
        return x


class NaiveNet1d(nn.Module):
    """(batch, 12, time) -> tokens and pooled features."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        config = ours.config
        self.first_conv = SameConv(config.n_leads, config.base_width, config.kernel_size, 2)
        inputs, stages = config.base_width, []
        for width, depth in zip(config.widths, config.depths, strict=True):
            blocks = []
            for index in range(depth):
                first = not stages and not blocks
                blocks.append(Block(inputs, width, config.kernel_size, config.group_width, index == 0, first))
                inputs = width
            stages.append(Stage(blocks))
        self.stage_list = nn.ModuleList(stages)
        copy_weights(self, ours, get_model_spec("net1d"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = swish(self.first_conv(torch.nan_to_num(x)))
        for stage in self.stage_list:
            x = stage(x)
        return x.transpose(1, 2), x.mean(-1)


def swish(x: Tensor) -> Tensor:
    """As a product, the way the original has it."""
    return x * torch.sigmoid(x)
