"""ECGFounder: the network is Net1D's, the weights are pretrained."""

from __future__ import annotations

from hf_ecg_bench.models.base import EcgForSequenceClassification
from hf_ecg_bench.models.ecg_founder.configuration_ecg_founder import EcgFounderConfig
from hf_ecg_bench.models.net1d.modeling_net1d import Net1dModel


class EcgFounderModel(Net1dModel):
    """The pretrained backbone: `(batch, 12, time)` at 500 Hz -> tokens of width 1024."""

    config_class = EcgFounderConfig


class EcgFounderForSequenceClassification(EcgForSequenceClassification):
    """ECGFounder with a head."""

    config_class = EcgFounderConfig
    backbone_class = EcgFounderModel
