"""Resampling that gives resampy's `kaiser_best` numbers as a handful of small matrix products.

The resampler is linear and its weights are a band: each output depends on about 100 (going up) to 500 (going
down by 5) neighbouring inputs. Blocks of `BLOCK` outputs share one range of inputs, so a signal is resampled
by one float32 matrix product per block over all windows and leads at once. Every block has its own weights,
so the ends of the signal and the rounding of output times need no special case. Differences to resampy: 1e-9
in the weights, and float32 sums: below 1e-6 of the largest amplitude (measured: 4.5e-6 at 8.4 mV).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals import kaiser_best
from hf_ecg_bench.signals.nan import has_nonfinite

# By measurement: smaller blocks lose to overhead, larger ones to the zeros outside of the band.
BLOCK = 64
# Rounding grows with the terms of one float32 sum: large, slow baselines (8 mV in PTB-XL) then cost 1e-5 mV.
LONGEST_SUM = 128
# Signals up to this length share resamplers of the next power of two; longer ones are not stored.
STORED_LENGTH = 16384


@dataclass(frozen=True)
class Block:
    """Outputs start..stop-1 = inputs first..last-1 times `weights` (last - first, stop - start) float32."""

    start: int
    stop: int
    first: int
    last: int
    weights: np.ndarray


@dataclass(frozen=True)
class Resampler:
    """A resampler for signals of `n_in` samples; make it with `resampler(...)`, which remembers it.

    Input must be finite: a NaN would spread over all outputs of the blocks that see it.
    """

    n_in: int
    n_out: int
    rate_in: float
    rate_out: float
    blocks: tuple[Block, ...]

    def __call__(self, signals: np.ndarray) -> np.ndarray:
        """(..., n_in, leads) -> (..., n_out, leads) float32, a new array with time innermost."""
        if signals.ndim < 2:
            raise DataError(f"signal of shape {signals.shape}; expected (..., {self.n_in}, leads)")
        return np.swapaxes(self.last_axis(np.swapaxes(signals, -1, -2)), -1, -2)

    def last_axis(self, signals: np.ndarray) -> np.ndarray:
        """(..., n_in) -> (..., n_out) float32 C-contiguous, a new array. Fastest on C-contiguous float32."""
        if signals.shape[-1] != self.n_in:
            raise DataError(f"signal of {signals.shape[-1]} samples; this resampler takes {self.n_in}")
        rows = np.ascontiguousarray(signals, dtype=np.float32).reshape(-1, self.n_in)
        output = np.empty((len(rows), self.n_out), dtype=np.float32)
        if not self.blocks:
            output[:] = rows
        _apply(self.blocks, rows, output)
        return output.reshape(*signals.shape[:-1], self.n_out)


@lru_cache(maxsize=32)
def resampler(n_in: int, rate_in: float, rate_out: float) -> Resampler:
    """The resampler for signals of `n_in` samples; equal rates give a copy.

    Its weights take 4 * n_out * (taps + BLOCK / r) bytes: 0.7 MB for 2.5 s from 500 to 240 Hz, 8 MB for 10 s
    from 1000 to 500 Hz.

    Raises:
        DataError: a rate that is not positive, or a signal too short for one output sample.
    """
    n_out = _checked_length(n_in, rate_in, rate_out)
    blocks = () if rate_in == rate_out else tuple(_blocks(n_in, n_out, rate_in, rate_out))
    return Resampler(n_in, n_out, rate_in, rate_out, blocks)


def resample(signal: np.ndarray, rate_in: float, rate_out: float) -> np.ndarray:
    """Resample one record of any length.

    Args:
        signal: (time, leads), finite.
        rate_in, rate_out: Hz.

    Returns:
        (int(time * rate_out / rate_in), leads) float32, C-contiguous, a new array.

    Raises:
        DataError: shape, NaN or infinite samples, rates, or too short.
    """
    if signal.ndim != 2:
        raise DataError(f"signal of shape {signal.shape}; expected (time, leads)")
    n_in = len(signal)
    n_out = _checked_length(n_in, rate_in, rate_out)
    rows = np.ascontiguousarray(signal.T, dtype=np.float32)
    if has_nonfinite(rows):
        raise DataError(
            "signal with NaN or infinite samples cannot be resampled: they would spread",
            fix="fill the gaps first, with signals.nan.interpolate or signals.nan.zero",
        )
    if rate_in == rate_out:
        return np.ascontiguousarray(rows.T)
    if n_in <= STORED_LENGTH:
        # The reference leaves out samples beyond the ends: the same as zeros, so padding changes nothing.
        padded = np.zeros((len(rows), max(1024, 1 << (n_in - 1).bit_length())), dtype=np.float32)
        padded[:, :n_in] = rows
        return np.ascontiguousarray(resampler(padded.shape[1], rate_in, rate_out).last_axis(padded)[:, :n_out].T)
    output = np.empty((len(rows), n_out), dtype=np.float32)
    _apply(_blocks(n_in, n_out, rate_in, rate_out), rows, output)
    return np.ascontiguousarray(output.T)


def _apply(blocks: tuple[Block, ...] | Iterator[Block], rows: np.ndarray, output: np.ndarray) -> None:
    for block in blocks:
        target = output[:, block.start : block.stop]
        n_inputs = block.last - block.first
        pieces = -(-n_inputs // LONGEST_SUM)
        bounds = [n_inputs * piece // pieces for piece in range(pieces + 1)]
        for begin, end in pairwise(bounds):
            inputs, weights = rows[:, block.first + begin : block.first + end], block.weights[begin:end]
            if begin == 0:
                np.matmul(inputs, weights, out=target)
            else:
                target += inputs @ weights


def _blocks(n_in: int, n_out: int, rate_in: float, rate_out: float) -> Iterator[Block]:
    for start in range(0, n_out, BLOCK):
        stop = min(start + BLOCK, n_out)
        first, weights = kaiser_best.band(start, stop, rate_in, rate_out)
        column = first[:, None] + np.arange(weights.shape[1])
        inside = (column >= 0) & (column < n_in) & (weights != 0)
        low, high = int(column[inside].min()), int(column[inside].max()) + 1
        matrix = np.zeros((high - low, stop - start), dtype=np.float32)
        row = np.broadcast_to(np.arange(stop - start)[:, None], column.shape)
        matrix[column[inside] - low, row[inside]] = weights[inside]
        yield Block(start, stop, low, high, matrix)


def _checked_length(n_in: int, rate_in: float, rate_out: float) -> int:
    for rate in (rate_in, rate_out):
        if not 0 < rate < float("inf"):
            raise DataError(
                f"sampling rate {rate!r} Hz; expected a positive number",
                fix="correct the record's sampling rate",
            )
    n_out = kaiser_best.output_length(n_in, rate_in, rate_out)
    if n_out < 1:
        raise DataError(f"{n_in} samples at {rate_in:g} Hz are too short to give one sample at {rate_out:g} Hz")
    return n_out
