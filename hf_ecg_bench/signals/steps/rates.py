"""Changes of the sampling rate, each as one of the models' authors did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.signals import kaiser_best
from hf_ecg_bench.signals.resampling import resampler
from hf_ecg_bench.signals.steps.base import Step, along_time


@dataclass(frozen=True)
class _Resample(Step):
    """To `rate` Hz; nothing where the signal has that rate already."""

    rate: float

    def __post_init__(self) -> None:
        self._positive(rate=self.rate)

    def __call__(self, signal: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
        samples, new_rate = self.output(signal.shape[1], rate)
        return (signal if rate == new_rate else self._resample(signal, rate, samples)), new_rate

    def output(self, samples: int, rate: float) -> tuple[int, float]:
        length = int(round(samples * self.rate / rate, 6))
        if length < 1:
            raise ContractError(f"{self.describe()}: {samples} samples at {rate:g} Hz are too few")
        return length, self.rate

    def _resample(self, signal: np.ndarray, rate: float, samples: int) -> np.ndarray:
        raise NotImplementedError


@dataclass(frozen=True)
class FourierResample(_Resample):
    """Cut or extend the spectrum (scipy.signal.resample); a jump between the two ends of the record rings."""

    name: ClassVar[str] = "fourier_resample"

    def describe(self) -> str:
        return f"resampled to {self.rate:g} Hz by FFT"

    def _resample(self, signal: np.ndarray, rate: float, samples: int) -> np.ndarray:
        from scipy.signal import resample

        return np.asarray(resample(along_time(signal), samples, axis=-1)).transpose(0, 2, 1)


@dataclass(frozen=True)
class LinearResample(_Resample):
    """Linear interpolation between first and last sample, which both stay; going down, high frequencies alias."""

    name: ClassVar[str] = "linear_resample"

    def describe(self) -> str:
        return f"resampled to {self.rate:g} Hz by linear interpolation"

    def _resample(self, signal: np.ndarray, rate: float, samples: int) -> np.ndarray:
        last = signal.shape[1] - 1
        position = np.arange(samples) * (last / max(samples - 1, 1))
        before = np.minimum(position.astype(np.int64), max(last - 1, 0))
        share = (position - before)[:, None]
        left, right = signal[:, before], signal[:, np.minimum(before + 1, last)]
        return np.asarray(left + share * (right - left))


@dataclass(frozen=True)
class KaiserResample(_Resample):
    """Band-limited interpolation as resampy's `kaiser_best` (see `signals.resampling`), in float32."""

    name: ClassVar[str] = "kaiser_resample"

    def describe(self) -> str:
        return f"resampled to {self.rate:g} Hz as resampy's kaiser_best"

    def output(self, samples: int, rate: float) -> tuple[int, float]:
        super().output(samples, rate)
        return kaiser_best.output_length(samples, rate, self.rate), self.rate

    def _resample(self, signal: np.ndarray, rate: float, samples: int) -> np.ndarray:
        rows = resampler(signal.shape[1], rate, self.rate).last_axis(along_time(signal))
        return rows.astype(np.float64).transpose(0, 2, 1)


@dataclass(frozen=True)
class JoinedDecimation(Step):
    """Join the leads one after the other, low-pass and keep every `factor`-th sample, part them again.

    The filter (Chebyshev, order 8, zero phase: scipy.signal.decimate) runs across the joints, so that the ends of
    neighbouring leads mix.
    """

    factor: int
    name: ClassVar[str] = "joined_decimation"

    def __post_init__(self) -> None:
        if not isinstance(self.factor, int) or self.factor < 2:
            raise ContractError(f"step {self.name!r}: factor = {self.factor!r}; expected a whole number above 1")

    def __call__(self, signal: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
        from scipy.signal import decimate

        samples, new_rate = self.output(signal.shape[1], rate)
        batch, _, leads = signal.shape
        joined = along_time(signal).reshape(batch, -1)
        low = np.asarray(decimate(joined, self.factor, axis=-1))
        return low.reshape(batch, leads, samples).transpose(0, 2, 1), new_rate

    def describe(self) -> str:
        return f"leads joined one after the other, then decimated by {self.factor} (Chebyshev, zero phase), and parted"

    def output(self, samples: int, rate: float) -> tuple[int, float]:
        if samples % self.factor or samples < 30:
            raise ContractError(
                f"{self.describe()}: {samples} samples per lead; expected a multiple of {self.factor}, at least 30"
            )
        return samples // self.factor, rate / self.factor
