"""Configuration of HuBERT-ECG."""

from __future__ import annotations

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.layers.postnorm_configuration import PostNormConfig

#: The band-pass filter refuses windows that are not longer than its padding, three times its 31 taps.
FILTER_PADDING = 93


class HubertEcgConfig(PostNormConfig):
    """Sizes of HuBERT-ECG; the defaults are those of the base checkpoint and of its fine-tuning."""

    model_type = "ecg_bench_hubert_ecg"  # the authors' own code registers `hubert_ecg`

    sampling_rate: int = 100
    window_seconds: float = 5.0
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.1
    layer_drop: float = 0.1

    def check_length(self, samples: int) -> None:
        """See EcgConfig.check_length."""
        shortest = -(-self.receptive_field // self.n_leads)
        if self.preprocessing == "paper":
            shortest = max(shortest, FILTER_PADDING + 1)
        if samples < shortest:
            raise ContractError(f"{self.model_type} takes windows of at least {shortest} samples, found {samples}")
