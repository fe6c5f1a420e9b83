"""HuBERT-ECG: twelve leads, filtered, scaled and joined into one signal, in a HuBERT."""

from __future__ import annotations

import torch
from torch import Tensor

from hf_ecg_bench.models.base import EcgForSequenceClassification
from hf_ecg_bench.models.hubert_ecg.band_pass import preprocess
from hf_ecg_bench.models.hubert_ecg.configuration_hubert_ecg import HubertEcgConfig
from hf_ecg_bench.models.layers.postnorm_model import PostNormModel


class HubertEcgModel(PostNormModel):
    """The backbone: `(batch, 12, time)` at 100 Hz -> tokens of width 768, one per 64 samples of the joined leads.

    Nothing is masked in train mode (pretraining masked a third of the tokens).
    """

    config_class = HubertEcgConfig
    joined_leads = True

    def prepare_input(self, input_values: Tensor) -> Tensor:
        """Missing samples become 0; filter and scale; leads joined: (batch, 12 * time), lead after lead.

        Windows with `original` preprocessing come filtered and scaled, and are only joined.
        """
        windows = torch.nan_to_num(input_values)
        if self.config.preprocessing == "paper":
            windows = preprocess(windows)
        return windows.flatten(1).to(self.dtype)


class HubertEcgForSequenceClassification(EcgForSequenceClassification):
    """HuBERT-ECG with a head."""

    config_class = HubertEcgConfig
    backbone_class = HubertEcgModel
