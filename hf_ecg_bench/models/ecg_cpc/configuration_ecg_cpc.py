"""Configuration of ECG-CPC."""

from __future__ import annotations

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.s4.configuration_s4 import S4Config


class EcgCpcConfig(S4Config):
    """S4's sizes (here of causal layers) after convolutions; the defaults are those of the public checkpoint.

    Args:
        n_conv_layers: convolutions in front; the first one has a kernel of 3 and halves the length, the others
            mix channels.
        l_max: tokens of a pretraining window (10 s), which the stored C belongs to; any length is exact.
        predicted_step: tokens ahead that pretraining predicts.
        n_negatives: other tokens that it tells the right one from.
    """

    model_type = "ecg_cpc"

    sampling_rate: int = 240
    n_conv_layers: int = 4
    l_max: int = 1200
    predicted_step: int = 14
    n_negatives: int = 128

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if min(self.n_conv_layers, self.predicted_step, self.n_negatives) < 1:
            raise ContractError(
                "ECG-CPC needs a positive n_conv_layers, predicted_step and n_negatives, found "
                f"{self.n_conv_layers}, {self.predicted_step}, {self.n_negatives}"
            )
