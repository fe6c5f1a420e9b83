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
        """See PostNormModel; without gradient where the extractor is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.freeze_extractor):
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
    _no_split_modules = EcgFmModel._no_split_modules
    _supports_sdpa = True
    has_attentions = True

    def apply_freezing(self) -> None:
        """The backbone's own freezing, then the configuration's."""
        self.encoder.apply_freezing()
        super().apply_freezing()
