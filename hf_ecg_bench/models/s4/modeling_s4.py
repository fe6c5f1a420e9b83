"""S4: bidirectional state space layers with fixed HiPPO-LegS dynamics, the supervised baseline."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.s4.configuration_s4 import S4Config
from hf_ecg_bench.models.s4.layers import S4Layers
from hf_ecg_bench.models.trace import Trace


class S4Model(EcgModel):
    """The backbone: `(batch, 12, time)` -> tokens of width 512, one per sample."""

    config_class = S4Config
    _no_split_modules = ["S4Layers"]  # the layers' kernels are computed together

    def __init__(self, config: S4Config) -> None:
        super().__init__(config)
        self.input_projection = nn.Conv1d(config.n_leads, config.hidden_size, 1)
        self.layers = S4Layers(config, directions=2)
        self.post_init()

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        projection = self.input_projection
        x = functional.linear(input_values.transpose(1, 2), projection.weight.squeeze(-1), projection.bias)
        return self.layers(x, trace)


class S4ForSequenceClassification(EcgForSequenceClassification):
    """S4 with a head."""

    config_class = S4Config
    backbone_class = S4Model
