"""Where windows start in a record, and how the outputs of a record's windows become one."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np

from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals import counter

Tail = Literal["drop", "shift"]


def window_length(seconds: float, rate: float) -> int:
    """Samples of a window: int(seconds * rate), safe from products such as 2.3 * 100 = 229.99999999999997.

    Raises:
        DataError: not at least one sample.
    """
    length = int(round(seconds * rate, 6)) if 0 < seconds < float("inf") and 0 < rate < float("inf") else 0
    if length < 1:
        raise DataError(f"a window of {seconds!r} s at {rate!r} Hz has no samples; expected positive numbers")
    return length


def evaluation_starts(length: int, window: int, tail: Tail = "drop") -> np.ndarray:
    """First samples of the windows of one record of `length` samples: 0, W, 2W, ... without overlap.

    Args:
        tail: what happens to the samples after the last whole window: `drop` leaves them out (the published
            rule), `shift` adds a last window that ends with the record and overlaps the one before.

    Returns:
        (windows,) int64; empty for a record shorter than one window, under both rules.
    """
    return evaluation_index(np.array([length]), window, tail)[1]


def evaluation_index(lengths: np.ndarray, window: int, tail: Tail = "drop") -> tuple[np.ndarray, np.ndarray]:
    """Evaluation windows of all records.

    Args:
        lengths: (records,) samples.

    Returns:
        record_index, starts: (windows,) int64 each, by record, then by time.
    """
    if tail not in ("drop", "shift"):
        raise DataError(f"tail rule {tail!r}; expected 'drop' or 'shift'")
    if window < 1:
        raise DataError(f"window of {window} samples; expected at least 1")
    lengths = np.asarray(lengths, dtype=np.int64)
    counts = lengths // window
    if tail == "shift":
        counts = counts + ((lengths > window) & (lengths % window > 0))
    record_index = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(record_index)) - np.repeat(np.cumsum(counts) - counts, counts)
    return record_index, np.minimum(number * window, lengths[record_index] - window)


@overload
def training_start(length: int, window: int, seed: int, epoch: int, record: int, published: bool = ...) -> int: ...
@overload
def training_start(
    length: int | np.ndarray, window: int, seed: int, epoch: int, record: np.ndarray, published: bool = ...
) -> np.ndarray: ...
def training_start(
    length: int | np.ndarray,
    window: int,
    seed: int,
    epoch: int,
    record: int | np.ndarray,
    published: bool = False,
) -> int | np.ndarray:
    """First sample of a random training window, a function of (seed, epoch, record) and nothing else.

    Args:
        length: samples of the record, or of each record.
        window: samples of the window.
        record: the record's number, or (records,) of them.
        published: draw from 0..length-window-1 as the published code does, so that the last start never
            occurs; the default includes it.

    Returns:
        int for one record, else (records,) int64.

    Raises:
        DataError: a record shorter than the window.
    """
    lengths = np.asarray(length, dtype=np.int64)
    if (lengths < window).any():
        raise DataError(
            f"a record of {int(lengths.min())} samples is shorter than the window of {window}",
            fix="leave out records shorter than the window before training",
        )
    choices = lengths - window + 1
    if published:
        choices = np.maximum(choices - 1, 1)
    starts = counter.integers(choices, seed, epoch, record)
    return int(starts[0]) if np.ndim(record) == 0 and lengths.ndim == 0 else starts


def mean_per_record(outputs: np.ndarray, record_index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the outputs (probabilities or regression values) over the windows of each record.

    Args:
        outputs: (windows, targets), floating.
        record_index: (windows,) int, in any order (windows gathered from several processes).

    Returns:
        means: (records, targets) of the outputs' type, summed in float64; rows by ascending record.
        records: (records,) the records that have windows.

    Raises:
        DataError: lengths disagree.
    """
    if outputs.ndim != 2 or record_index.shape != (len(outputs),):
        raise DataError(
            f"outputs of shape {outputs.shape} with record_index of shape {record_index.shape}; "
            "expected (n, targets) and (n,)"
        )
    if not len(outputs):
        return outputs, record_index
    order = np.argsort(record_index, kind="stable")
    records, first, counts = np.unique(record_index[order], return_index=True, return_counts=True)
    sums = np.add.reduceat(outputs[order], first, axis=0, dtype=np.float64)
    return (sums / counts[:, None]).astype(outputs.dtype), records
