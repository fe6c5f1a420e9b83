"""Configuration of S4."""

from __future__ import annotations

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.configuration import EcgConfig


class S4Config(EcgConfig):
    """Sizes of the S4 baseline; the defaults are the paper's.

    Args:
        n_layers: S4 layers.
        state_size: N of the state space, in conjugate pairs (8 means 4 stored complex numbers).
        l_max: length the stored, length-corrected C belongs to; any input length is exact.
        dropout: of whole channels, in and after each layer.
        dt_min, dt_max: range of the time step at initialisation.
    """

    model_type = "s4"

    sampling_rate: int = 100
    hidden_size: int = 512
    n_layers: int = 4
    state_size: int = 8
    l_max: int = 250
    dropout: float = 0.2
    dt_min: float = 0.001
    dt_max: float = 0.1

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if self.state_size % 2 or self.state_size < 2 or self.l_max < 1 or not 0 <= self.dropout < 1:
            raise ContractError(
                "S4 needs an even state_size, a positive l_max and a dropout in [0, 1), found "
                f"{self.state_size}, {self.l_max}, {self.dropout}"
            )
