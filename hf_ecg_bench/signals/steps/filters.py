"""Filters, all without phase shift: run forward and backward, or symmetric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.signals.steps.base import Step, along_time


class _Filter(Step):
    """A filter whose cut-off frequencies must lie below half the sampling rate, on a record longer than its ends."""

    def output(self, samples: int, rate: float) -> tuple[int, float]:
        highest = max(self._frequencies())
        if 2 * highest >= rate:
            raise ContractError(
                f"{self.describe()}: impossible at {rate:g} Hz; the signal must have more than {2 * highest:g} Hz",
                fix="use recordings of a higher sampling rate, or the preprocessing 'paper'",
            )
        padding = self._padding(rate)
        if samples <= padding:
            raise ContractError(f"{self.describe()}: needs more than {padding} samples at {rate:g} Hz, found {samples}")
        return samples, rate

    def _frequencies(self) -> tuple[float, ...]:
        raise NotImplementedError

    def _padding(self, rate: float) -> int:
        """Samples that the filter reflects at each end (scipy's default: three times its length)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Notch(_Filter):
    """Second-order notch (scipy's iirnotch), forward and backward."""

    frequency: float
    quality: float = 30.0
    name: ClassVar[str] = "notch"

    def __post_init__(self) -> None:
        self._positive(frequency=self.frequency, quality=self.quality)

    def describe(self) -> str:
        return f"notch filter at {self.frequency:g} Hz (Q {self.quality:g})"

    def _frequencies(self) -> tuple[float, ...]:
        return (self.frequency,)

    def _padding(self, rate: float) -> int:
        return 9

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        from scipy.signal import filtfilt, iirnotch

        b, a = iirnotch(self.frequency, self.quality, fs=rate)
        return np.asarray(filtfilt(b, a, along_time(signal), axis=-1)).transpose(0, 2, 1)


class _Butterworth(_Filter):
    """Second-order sections forward and backward: the order doubles, and the gain at the cut-off is a half."""

    order: int

    def _design(self, rate: float) -> Any:
        raise NotImplementedError

    def _padding(self, rate: float) -> int:
        sos = self._design(rate)
        ends_at_zero = min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum()))
        return 3 * (2 * len(sos) + 1 - ends_at_zero)

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        from scipy.signal import sosfiltfilt

        return np.asarray(sosfiltfilt(self._design(rate), along_time(signal), axis=-1)).transpose(0, 2, 1)


@dataclass(frozen=True)
class HighPass(_Butterworth):
    """Butterworth high-pass of `order`, cut-off in Hz, forward and backward."""

    cutoff: float
    order: int = 5
    name: ClassVar[str] = "high_pass"

    def __post_init__(self) -> None:
        self._positive(cutoff=self.cutoff, order=self.order)

    def describe(self) -> str:
        return f"high-pass {self.cutoff:g} Hz (Butterworth, order {self.order}, zero phase)"

    def _frequencies(self) -> tuple[float, ...]:
        return (self.cutoff,)

    def _design(self, rate: float) -> Any:
        from scipy.signal import butter

        return butter(self.order, self.cutoff, "highpass", fs=rate, output="sos")


@dataclass(frozen=True)
class LowPass(_Butterworth):
    """Butterworth low-pass of `order`, cut-off in Hz, forward and backward."""

    cutoff: float
    order: int = 5
    name: ClassVar[str] = "low_pass"

    def __post_init__(self) -> None:
        self._positive(cutoff=self.cutoff, order=self.order)

    def describe(self) -> str:
        return f"low-pass {self.cutoff:g} Hz (Butterworth, order {self.order}, zero phase)"

    def _frequencies(self) -> tuple[float, ...]:
        return (self.cutoff,)

    def _design(self, rate: float) -> Any:
        from scipy.signal import butter

        return butter(self.order, self.cutoff, "lowpass", fs=rate, output="sos")


@dataclass(frozen=True)
class BandPass(_Butterworth):
    """Butterworth band-pass of `order`, from `low` to `high` Hz, forward and backward."""

    low: float
    high: float
    order: int = 4
    name: ClassVar[str] = "band_pass"

    def __post_init__(self) -> None:
        self._positive(low=self.low, high=self.high, order=self.order)
        if self.low >= self.high:
            raise ContractError(f"step {self.name!r}: {self.low} to {self.high} Hz; expected low below high")

    def describe(self) -> str:
        return f"band-pass {self.low:g} to {self.high:g} Hz (Butterworth, order {self.order}, zero phase)"

    def _frequencies(self) -> tuple[float, ...]:
        return (self.low, self.high)

    def _design(self, rate: float) -> Any:
        from scipy.signal import butter

        return butter(self.order, [self.low, self.high], "bandpass", fs=rate, output="sos")


@dataclass(frozen=True)
class FirBandPass(_Filter):
    """Windowed-sinc (Hamming) band-pass of odd length int(seconds * rate), forward and backward.

    A length that comes out even is made odd by one more tap.
    """

    low: float
    high: float
    seconds: float = 0.3
    name: ClassVar[str] = "fir_band_pass"

    def __post_init__(self) -> None:
        self._positive(low=self.low, high=self.high, seconds=self.seconds)
        if self.low >= self.high:
            raise ContractError(f"step {self.name!r}: {self.low} to {self.high} Hz; expected low below high")

    def describe(self) -> str:
        return f"FIR band-pass {self.low:g} to {self.high:g} Hz ({self.seconds:g} s long, zero phase)"

    def taps(self, rate: float) -> int:
        """Its length in samples."""
        return int(round(self.seconds * rate, 6)) | 1

    def _frequencies(self) -> tuple[float, ...]:
        return (self.low, self.high)

    def _padding(self, rate: float) -> int:
        return 3 * self.taps(rate)

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        from scipy.signal import fftconvolve, firwin

        taps = firwin(self.taps(rate), [self.low, self.high], pass_zero=False, fs=rate)
        # scipy's filtfilt in one convolution by FFT, three times faster: both passes together are the filter with
        # itself, which reaches len(taps) - 1 samples into the odd extension of the ends.
        both, reach = np.convolve(taps, taps), len(taps) - 1
        rows = along_time(signal)
        before = 2 * rows[..., :1] - rows[..., reach:0:-1]
        after = 2 * rows[..., -1:] - rows[..., -2 : -reach - 2 : -1]
        extended = np.concatenate([before, rows, after], axis=-1)
        return np.asarray(fftconvolve(extended, both[None, None], mode="valid", axes=-1)).transpose(0, 2, 1)


@dataclass(frozen=True)
class MedianBaseline(Step):
    """Subtract the running median over an odd window of about `seconds`; beyond the record's ends zeros count."""

    seconds: float = 0.4
    name: ClassVar[str] = "median_baseline"

    def __post_init__(self) -> None:
        self._positive(seconds=self.seconds)

    def describe(self) -> str:
        return f"minus its running median over {self.seconds:g} s (baseline)"

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        from scipy.ndimage import median_filter

        size = int(round(self.seconds * rate, 6)) | 1
        rows = along_time(signal)
        baseline = np.empty_like(rows)
        # Row by row: for one dimension scipy has an algorithm 30 times faster than its general one.
        for row, target in zip(rows.reshape(-1, rows.shape[-1]), baseline.reshape(-1, rows.shape[-1]), strict=True):
            median_filter(row, size=size, mode="constant", output=target)
        return (rows - baseline).transpose(0, 2, 1)
