"""MERL's ECG encoders (Liu et al., ICML 2024); the report side of the pretraining is not needed here."""

from __future__ import annotations

from torch import Tensor

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.merl.configuration_merl import MerlConfig
from hf_ecg_bench.models.merl.resnet import MerlResNet
from hf_ecg_bench.models.merl.vit import MerlViT
from hf_ecg_bench.models.trace import Trace


class MerlModel(EcgModel):
    """The encoder that `config.backbone` names: `(batch, 12, time)` -> tokens of width 512 or 192."""

    config_class = MerlConfig
    _no_split_modules = ["MerlResNetBlock", "PreNormBlock"]
    _supports_sdpa = True

    def __init__(self, config: MerlConfig) -> None:
        super().__init__(config)
        self.backbone: MerlResNet | MerlViT = (MerlViT if config.backbone == "vit" else MerlResNet)(config)
        self.post_init()

    @property
    def has_attentions(self) -> bool:
        """See EcgModel."""
        return self.config.backbone == "vit"

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        return self.backbone(input_values, trace)

    def pool(self, tokens: Tensor) -> Tensor:
        """See EcgModel."""
        return self.backbone.pool(tokens)


class MerlForSequenceClassification(EcgForSequenceClassification):
    """MERL with a head."""

    config_class = MerlConfig
    backbone_class = MerlModel
