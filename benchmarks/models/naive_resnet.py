"""MERL's ResNet-18 and ECGFM-KED's xresnet1d101: nn.Conv1d, nn.BatchNorm1d and nn.ReLU in a row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.models.weights import copy_weights
from hf_ecg_bench.models.registry import get_model_spec


class BasicBlock(nn.Module):
    """Two convolutions of width 3 and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm1d(outputs)
        self.conv2 = nn.Conv1d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm1d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv1d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm1d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + self.shortcut(x))


class NaiveResNet(nn.Module):
    """MERL's ResNet-18."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        widths, depths = ours.config.widths, ours.config.depths
        width = widths[0]
        self.conv1 = nn.Conv1d(12, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        inputs, self.n_stages = width, len(widths)
        for number, (outputs, depth) in enumerate(zip(widths, depths, strict=True), start=1):
            blocks = []
            for index in range(depth):
                blocks.append(BasicBlock(inputs, outputs, 2 if number > 1 and index == 0 else 1))
                inputs = outputs
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        copy_weights(self, ours, get_model_spec("merl"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.relu(self.bn1(self.conv1(torch.nan_to_num(x))))
        for number in range(1, self.n_stages + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.transpose(1, 2), x.mean(-1)


def conv_layer(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """Convolution, batch norm and maybe a ReLU."""
    layers = [nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm1d(outputs)]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


class Bottleneck(nn.Module):
    """1, 5, 1 convolutions with the stride in the middle, and a shortcut that averages pairs."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.convs = nn.Sequential(
            conv_layer(inputs, width), conv_layer(width, width, 5, stride), conv_layer(width, outputs, relu=False)
        )
        shortcut: list[nn.Module] = [] if stride == 1 else [nn.AvgPool1d(2, ceil_mode=True)]
        if inputs != outputs:
            shortcut.append(conv_layer(inputs, outputs, relu=False))
        self.idpath = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.convs(x) + self.idpath(x))


class NaiveXResNet(nn.Sequential):
    """ECGFM-KED's xresnet1d101; children have the public file's numbers for names."""

    def __init__(self, ours: nn.Module) -> None:
        config = ours.config
        layers: list[nn.Module] = []
        inputs = 12
        for index, outputs in enumerate(config.stem_widths):
            layers.append(conv_layer(inputs, outputs, 5, 2 if index == 0 else 1))
            inputs = outputs
        layers.append(nn.MaxPool1d(3, 2, 1))
        for stage, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True)):
            blocks = []
            for index in range(depth):
                blocks.append(Bottleneck(inputs, width, 2 if stage and index == 0 else 1))
                inputs = 4 * width
            layers.append(nn.Sequential(*blocks))
        super().__init__(*layers)
        copy_weights(self, ours, get_model_spec("ecgfm_ked"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        x = super().forward(torch.nan_to_num(x))
        return x.transpose(1, 2), x.mean(-1)
