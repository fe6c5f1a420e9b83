"""Configuration of the post-norm wav2vec 2.0 family: HuBERT-ECG and ECG-FM."""

from __future__ import annotations

from dataclasses import field

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.configuration import LENGTH_FIX, EcgConfig


class PostNormConfig(EcgConfig):
    """Sizes and dropouts of a convolutional extractor with a post-norm transformer on top.

    Args:
        extractor_width: channels of the extractor's convolutions.
        extractor_kernels, extractor_strides: of each convolution, in samples of its input.
        n_layers: transformer layers.
        n_heads: attention heads; hidden_size must be a multiple.
        intermediate_size: width inside the feed-forward.
        position_kernel: tokens that the convolutional positions span; even.
        position_groups: groups of that convolution.
        hidden_dropout: after the positions, the attention and the feed-forward.
        attention_dropout: of attention weights.
        activation_dropout: inside the feed-forward.
        layer_drop: probability that a layer is skipped, in train mode.
    """

    model_type = "post_norm"

    hidden_size: int = 768
    extractor_width: int = 512
    extractor_kernels: list[int] = field(default_factory=lambda: [10, 3, 3, 2, 2])
    extractor_strides: list[int] = field(default_factory=lambda: [4, 2, 2, 2, 2])
    n_layers: int = 12
    n_heads: int = 12
    intermediate_size: int = 3072
    position_kernel: int = 128
    position_groups: int = 16
    hidden_dropout: float = 0.0
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    layer_drop: float = 0.0

    @property
    def receptive_field(self) -> int:
        """Samples that the extractor needs for its first token."""
        samples = 1
        for kernel, stride in zip(reversed(self.extractor_kernels), reversed(self.extractor_strides), strict=True):
            samples = (samples - 1) * stride + kernel
        return samples

    @property
    def shortest_window(self) -> int:
        """Samples of the shortest window that can be taken."""
        return self.receptive_field

    def check_length(self, samples: int) -> None:
        """See EcgConfig.check_length."""
        if samples < self.shortest_window:
            raise ContractError(
                f"{self.model_type} takes windows of at least {self.shortest_window} samples, found {samples}",
                fix=LENGTH_FIX,
            )

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if len(self.extractor_kernels) != len(self.extractor_strides) or not self.extractor_kernels:
            raise ContractError(
                f"extractor_kernels and extractor_strides name one convolution each, found {self.extractor_kernels} "
                f"and {self.extractor_strides}"
            )
        for name in ("n_heads", "position_groups"):
            if self.hidden_size % getattr(self, name):
                raise ContractError(
                    f"hidden_size must be a multiple of {name}, found {self.hidden_size} and {getattr(self, name)}"
                )
        if self.position_kernel % 2 or self.position_kernel < 2:
            raise ContractError(f"position_kernel must be even, found {self.position_kernel}")
        for name in ("hidden_dropout", "attention_dropout", "activation_dropout", "layer_drop"):
            if not 0 <= getattr(self, name) < 1:
                raise ContractError(f"{name} must be in [0, 1), found {getattr(self, name)}")
