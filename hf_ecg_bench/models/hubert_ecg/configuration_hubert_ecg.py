"""Configuration of HuBERT-ECG."""

from __future__ import annotations

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.layers.postnorm_configuration import PostNormConfig

FILTER_RATE = 100  # Hz
FILTER_TAPS = 31  # int(0.3 * 100 Hz) = 30, made odd
#: The band-pass filter refuses windows that are not longer than its padding.
FILTER_PADDING = 3 * FILTER_TAPS


class HubertEcgConfig(PostNormConfig):
    """Sizes of HuBERT-ECG; the defaults are those of the base checkpoint and of its fine-tuning."""

    model_type = "ecg_bench_hubert_ecg"  # the authors' own code registers `hubert_ecg`

    sampling_rate: int = 100
    window_seconds: float = 5.0
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.1
    layer_drop: float = 0.1

    @property
    def shortest_window(self) -> int:
        """Samples of the shortest window: for the joined leads, and for the filter where the model filters."""
        joined = -(-self.receptive_field // self.n_leads)
        return joined if self.preprocessing == "original" else max(joined, FILTER_PADDING + 1)

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if self.sampling_rate != FILTER_RATE:
            raise ContractError(
                f"HuBERT-ECG's filter is made for {FILTER_RATE} Hz, found sampling_rate {self.sampling_rate}",
                fix=f"leave sampling_rate at {FILTER_RATE}: EcgFeatureExtractor resamples",
            )
