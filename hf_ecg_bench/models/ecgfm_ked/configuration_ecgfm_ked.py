"""Configuration of ECGFM-KED."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.configuration import EcgConfig


class EcgfmKedConfig(EcgConfig):
    """Sizes of ECGFM-KED; the defaults are those of the public checkpoint.

    Args:
        sampling_rate: Hz; 500 in the paper's runs, 100 in the authors' own pretraining.
        stem_widths: channels of the three convolutions of the stem.
        widths, depths: inner channels and blocks of each stage.
        expansion: output channels of a block = expansion * inner channels.
        kernel_size: of the stem and of each block's middle convolution.
    """

    model_type = "ecgfm_ked"

    window_seconds: float = 10.0
    stem_widths: list[int] = field(default_factory=lambda: [32, 32, 64])
    widths: list[int] = field(default_factory=lambda: [64, 128, 128, 192])
    depths: list[int] = field(default_factory=lambda: [3, 4, 23, 3])
    expansion: int = 4
    kernel_size: int = 5

    def __post_init__(self, **kwargs: Any) -> None:
        self.hidden_size = self.hidden_size or self.expansion * self.widths[-1]
        super().__post_init__(**kwargs)

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if len(self.widths) != len(self.depths) or self.hidden_size != self.expansion * self.widths[-1]:
            raise ContractError(
                "ECGFM-KED needs a depth per width and expansion * the last width as hidden_size, found widths "
                f"{self.widths}, depths {self.depths}, expansion {self.expansion}, hidden_size {self.hidden_size}"
            )
        if self.kernel_size % 2 == 0:
            raise ContractError(f"kernel_size must be odd, found {self.kernel_size}")
