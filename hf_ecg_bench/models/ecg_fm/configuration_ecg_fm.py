"""Configuration of ECG-FM."""

from __future__ import annotations

from dataclasses import field

from hf_ecg_bench.errors import unknown_name
from hf_ecg_bench.models.layers.postnorm_configuration import PostNormConfig

POOLINGS = ("mean", "nonzero_mean")


class EcgFmConfig(PostNormConfig):
    """Sizes of ECG-FM; the defaults are those of the public checkpoint and of the authors' fine-tuning.

    Args:
        freeze_extractor: the convolutional extractor is not trained, as in the authors' fine-tuning.
        pooling: `mean` over the tokens (the benchmark's), or `nonzero_mean`, where each feature's sum is divided
            by the number of its values that are not 0 (the authors').
    """

    model_type = "ecg_fm"

    sampling_rate: int = 500
    window_seconds: float = 5.0
    extractor_width: int = 256
    extractor_kernels: list[int] = field(default_factory=lambda: [2, 2, 2, 2])
    extractor_strides: list[int] = field(default_factory=lambda: [2, 2, 2, 2])
    activation_dropout: float = 0.1
    freeze_extractor: bool = True
    pooling: str = "mean"

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if self.pooling not in POOLINGS:
            raise unknown_name("pooling", str(self.pooling), POOLINGS)
