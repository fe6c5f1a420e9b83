"""Configuration of ST-MEM."""

from __future__ import annotations

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.configuration import LENGTH_FIX, EcgConfig


class StMemConfig(EcgConfig):
    """Sizes of ST-MEM; the defaults are those of the public checkpoint.

    Args:
        patch_size: samples of one lead in a token.
        max_patches: rows of the position table for patches: windows have 1 to max_patches patches.
        n_layers, n_heads, intermediate_size: blocks, heads, width of the feed-forward layers.
    """

    model_type = "st_mem"

    sampling_rate: int = 250
    window_seconds: float = 2.4
    hidden_size: int = 768
    patch_size: int = 75
    max_patches: int = 30
    n_layers: int = 12
    n_heads: int = 12
    intermediate_size: int = 3072

    def check_length(self, samples: int) -> None:
        """See EcgConfig.check_length."""
        if samples < 1 or samples % self.patch_size or samples > self.max_patches * self.patch_size:
            raise ContractError(
                f"ST-MEM takes windows of a multiple of {self.patch_size} samples, at most "
                f"{self.max_patches * self.patch_size}, found {samples}",
                fix=LENGTH_FIX,
            )

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if self.hidden_size % self.n_heads or self.hidden_size % 2:
            raise ContractError(
                f"hidden_size must be even and a multiple of n_heads {self.n_heads}, found {self.hidden_size}"
            )
