"""ECG-CPC (Al-Masud, Lopez Alcaraz and Strodthoff, ICLR 2026): convolutions, then causal S4 layers."""

from __future__ import annotations

from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.ecg_cpc.configuration_ecg_cpc import EcgCpcConfig
from hf_ecg_bench.models.layers.convolution import ConvNorm
from hf_ecg_bench.models.s4.layers import S4Layers
from hf_ecg_bench.models.trace import Trace


class EcgCpcConvLayer(GradientCheckpointingLayer, ConvNorm):
    """Convolution, batch norm and ReLU on (batch, time, channels)."""


class EcgCpcModel(EcgModel):
    """The backbone: `(batch, 12, time)` at 240 Hz -> tokens of width 512, one per two samples (rounded up)."""

    config_class = EcgCpcConfig
    _no_split_modules = ["EcgCpcConvLayer", "S4Layers"]

    def __init__(self, config: EcgCpcConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.conv_layers = nn.ModuleList(
            [
                EcgCpcConvLayer(config.n_leads, size, kernel=3, stride=2),
                *(EcgCpcConvLayer(size, size) for _ in range(config.n_conv_layers - 1)),
            ]
        )
        self.layers = S4Layers(config, directions=1)
        self.post_init()

    def convolve(self, input_values: Tensor) -> Tensor:
        """What the S4 layers read, and pretraining predicts: (batch, tokens, hidden_size)."""
        x = input_values.transpose(1, 2)
        for layer in self.conv_layers:
            x = layer(x)
        return x

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        return self.layers(self.convolve(input_values), trace)


class EcgCpcForSequenceClassification(EcgForSequenceClassification):
    """ECG-CPC with a head."""

    config_class = EcgCpcConfig
    backbone_class = EcgCpcModel
