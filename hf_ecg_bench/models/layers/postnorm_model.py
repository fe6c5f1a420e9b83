"""The network that HuBERT-ECG and ECG-FM share: convolutional extractor, projection, post-norm transformer."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from transformers import initialization

from hf_ecg_bench.models.base import EcgModel
from hf_ecg_bench.models.layers.postnorm import PostNormTransformer
from hf_ecg_bench.models.layers.postnorm_configuration import PostNormConfig
from hf_ecg_bench.models.layers.postnorm_extractor import ConvExtractor
from hf_ecg_bench.models.trace import Trace


class PostNormModel(EcgModel):
    """Samples -> tokens by strided convolutions -> LayerNorm, Linear -> transformer.

    Subclasses say in `extractor_input` how a window becomes (batch, time, channels).
    """

    config_class = PostNormConfig
    config: PostNormConfig
    has_attentions = True
    _no_split_modules = ["PostNormLayer"]
    _supports_sdpa = True
    joined_leads: ClassVar[bool] = False  # whether leads are one after the other in time, not channels

    def __init__(self, config: PostNormConfig) -> None:
        super().__init__(config)
        self.extractor = ConvExtractor(1 if self.joined_leads else config.n_leads, config)
        self.feature_norm = nn.LayerNorm(config.extractor_width)
        self.projection = nn.Linear(config.extractor_width, config.hidden_size)
        self.transformer = PostNormTransformer(config)
        self.post_init()

    def hf_reset(self) -> None:
        """The projection from N(0, 0.02^2), zero bias, as in transformers' HuBERT."""
        initialization.normal_(self.projection.weight, std=0.02)
        initialization.zeros_(self.projection.bias)

    def extract(self, input_values: Tensor) -> Tensor:
        """What `prepare_input` returns -> (batch, tokens, extractor_width)."""
        samples = input_values.unsqueeze(-1) if self.joined_leads else input_values.transpose(1, 2)
        return self.extractor(samples)

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        return self.transformer(self.projection(self.feature_norm(self.extract(input_values))), trace)
