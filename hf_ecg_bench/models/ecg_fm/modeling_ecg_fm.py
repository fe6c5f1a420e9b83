"""ECG-FM: twelve leads as channels of a wav2vec 2.0."""

from __future__ import annotations

import torch
from torch import Tensor

from hf_ecg_bench.models.base import EcgForSequenceClassification
from hf_ecg_bench.models.ecg_fm.configuration_ecg_fm import EcgFmConfig
from hf_ecg_bench.models.layers.postnorm_model import PostNormModel


class EcgFmModel(PostNormModel):
    """The backbone: `(batch, 12, time)` at 500 Hz -> tokens of width 768, one per 16 samples."""

    config_class = EcgFmConfig
    config: EcgFmConfig

    def __init__(self, config: EcgFmConfig) -> None:
        super().__init__(config)
        self.apply_freezing()

    def apply_freezing(self) -> None:
        """The extractor is not trained unless the configuration says so."""
        super().apply_freezing()
        if self.config.freeze_extractor:
            self.extractor.requires_grad_(False)

    def extract(self, input_values: Tensor) -> Tensor:
        """See PostNormModel; without gradient where the extractor is frozen, except for one asked of the input."""
        wanted = not self.config.freeze_extractor or input_values.requires_grad
        with torch.set_grad_enabled(torch.is_grad_enabled() and wanted):
            return super().extract(input_values)

    def pool(self, tokens: Tensor) -> Tensor:
        """See EcgModel and `EcgFmConfig.pooling`."""
        if self.config.pooling == "mean":
            return super().pool(tokens)
        return tokens.sum(dim=1) / (tokens != 0).sum(dim=1)


class EcgFmForSequenceClassification(EcgForSequenceClassification):
    """ECG-FM with a head."""

    config_class = EcgFmConfig
    backbone_class = EcgFmModel
