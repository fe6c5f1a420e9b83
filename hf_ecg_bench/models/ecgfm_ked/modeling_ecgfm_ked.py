"""ECGFM-KED's ECG encoder, an xresnet1d101 with bottlenecks of widths 64, 128, 128, 192 (Tian et al., 2024).

Inside, sequences are (batch, time, channels): see layers/convolution.py.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from transformers import initialization
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.ecgfm_ked.configuration_ecgfm_ked import EcgfmKedConfig
from hf_ecg_bench.models.layers.convolution import ConvNorm, halve_by_maximum, halve_by_mean
from hf_ecg_bench.models.trace import Trace


class EcgfmKedConvNorm(ConvNorm):
    """A ConvNorm that starts as in fastai: normal weights, and in a block's last one a gain of 0.

    So every block starts as its shortcut.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, gain: float = 1.0
    ) -> None:
        super().__init__(in_channels, out_channels, kernel, stride)
        self.gain = gain
        self.hf_reset()

    def hf_reset(self) -> None:
        """Weights and gain as at initialisation; parts are reset before what they are part of."""
        initialization.kaiming_normal_(self.conv.weight)
        initialization.constant_(self.norm.weight, self.gain)


class EcgfmKedBlock(GradientCheckpointingLayer):
    """relu(shortcut + three convolutions of kernels 1, k, 1); the middle one may halve the length.

    The shortcut halves by mean, and projects only where the number of channels changes.
    """

    def __init__(self, in_channels: int, width: int, stride: int, config: EcgfmKedConfig) -> None:
        super().__init__()
        out_channels = width * config.expansion
        self.stride = stride
        self.convs = nn.ModuleList(
            [
                EcgfmKedConvNorm(in_channels, width),
                EcgfmKedConvNorm(width, width, kernel=config.kernel_size, stride=stride),
                EcgfmKedConvNorm(width, out_channels, gain=0.0),
            ]
        )
        self.shortcut = EcgfmKedConvNorm(in_channels, out_channels) if in_channels != out_channels else None

    def forward(self, x: Tensor) -> Tensor:
        residual = x if self.stride == 1 else halve_by_mean(x)
        if self.shortcut is not None:
            residual = self.shortcut(residual, None, False)
        return self.convs[2](self.convs[1](self.convs[0](x)), residual)


class EcgfmKedModel(EcgModel):
    """The backbone: `(batch, 12, time)` -> tokens of width 768, one per 32 samples (rounded up at each halving)."""

    config_class = EcgfmKedConfig
    _no_split_modules = ["EcgfmKedBlock"]

    def __init__(self, config: EcgfmKedConfig) -> None:
        super().__init__(config)
        channels = [config.n_leads, *config.stem_widths]
        self.stem = nn.Sequential(
            *(
                EcgfmKedConvNorm(before, after, kernel=config.kernel_size, stride=2 if index == 0 else 1)
                for index, (before, after) in enumerate(pairwise(channels))
            )
        )
        inputs = [channels[-1], *(config.expansion * width for width in config.widths)]
        self.stages = nn.ModuleList(
            nn.Sequential(
                EcgfmKedBlock(inputs[index], width, 1 if index == 0 else 2, config),
                *(EcgfmKedBlock(inputs[index + 1], width, 1, config) for _ in range(depth - 1)),
            )
            for index, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True))
        )
        self.post_init()

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        x = halve_by_maximum(self.stem(input_values.transpose(1, 2)))
        trace.state(x)
        for stage in self.stages:
            x = stage(x)
            trace.state(x)
        return x


class EcgfmKedForSequenceClassification(EcgForSequenceClassification):
    """ECGFM-KED with a head."""

    config_class = EcgfmKedConfig
    backbone_class = EcgfmKedModel
