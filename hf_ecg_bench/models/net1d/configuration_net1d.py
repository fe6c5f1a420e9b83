"""Configuration of Net1D."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.configuration import EcgConfig


class Net1dConfig(EcgConfig):
    """Sizes of Net1D; the defaults are ECGFounder's.

    Args:
        base_width: channels of the stem.
        widths: output channels of each stage.
        depths: blocks of each stage.
        kernel_size: of the stem and of the grouped convolutions.
        group_width: channels per group of the grouped convolutions.
    """

    model_type = "net1d"

    base_width: int = 64
    widths: list[int] = field(default_factory=lambda: [64, 160, 160, 400, 400, 1024, 1024])
    depths: list[int] = field(default_factory=lambda: [2, 2, 2, 3, 3, 4, 4])
    kernel_size: int = 16
    group_width: int = 16

    def __post_init__(self, **kwargs: Any) -> None:
        self.hidden_size = self.hidden_size or self.widths[-1]
        super().__post_init__(**kwargs)

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if len(self.widths) != len(self.depths) or self.hidden_size != self.widths[-1]:
            raise ContractError(
                f"Net1D needs a depth per width and the last as hidden_size, found widths {self.widths}, "
                f"depths {self.depths}, hidden_size {self.hidden_size}"
            )
        if any(width % self.group_width for width in self.widths):
            raise ContractError(f"widths must be multiples of group_width {self.group_width}, found {self.widths}")
