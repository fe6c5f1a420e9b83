"""Configuration of ECG-JEPA."""

from __future__ import annotations

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.configuration import EcgConfig

N_TOKEN_LEADS = 8  # I, II and V1 to V6; the other four follow from I and II


class EcgJepaConfig(EcgConfig):
    """Sizes of ECG-JEPA; the defaults are those of the public checkpoints.

    Args:
        patch_size: samples of one lead in a token.
        n_patches: tokens of one lead: windows have exactly patch_size * n_patches samples.
        n_layers, n_heads, intermediate_size: blocks, heads, width of the feed-forward layers.
    """

    model_type = "ecg_jepa"

    sampling_rate: int = 250
    window_seconds: float = 10.0
    hidden_size: int = 768
    patch_size: int = 50
    n_patches: int = 50
    n_layers: int = 12
    n_heads: int = 16
    intermediate_size: int = 3072

    @property
    def fixed_length(self) -> int:
        """Samples of a window: the position table knows no other length."""
        return self.patch_size * self.n_patches

    @property
    def n_tokens(self) -> int:
        """Tokens of a window."""
        return N_TOKEN_LEADS * self.n_patches

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if self.n_leads != 12:
            raise ContractError(f"ECG-JEPA chooses its 8 leads from all 12, found n_leads {self.n_leads}")
        if self.hidden_size % self.n_heads or self.hidden_size % 4:
            raise ContractError(
                f"hidden_size must be a multiple of n_heads {self.n_heads} and of 4 (sines and cosines of patch and "
                f"lead), found {self.hidden_size}"
            )
