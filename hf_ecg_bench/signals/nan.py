"""What to do about missing samples: each policy says how many there were."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.errors import DataError


def count(signal: np.ndarray) -> int:
    """Number of NaN samples."""
    return int(np.isnan(signal).sum())


def has_nonfinite(signal: np.ndarray) -> bool:
    """Whether any sample is NaN or infinite; several times faster than `isfinite` on contiguous float32.

    Works by NaN and infinity being absorbing: the sum of squares is finite only if every sample is. Squares
    overflow beyond 1e19, which for an ECG is as wrong as infinity; such values are looked at one by one.
    """
    flat = signal.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.dot(flat, flat)
    return not np.isfinite(squares) and not bool(np.isfinite(flat).all())


def zero(signal: np.ndarray) -> tuple[np.ndarray, int]:
    """NaN becomes 0. Returns the signal (a copy where anything was missing) and the number of NaN."""
    missing = np.isnan(signal)
    n_missing = int(missing.sum())
    if not n_missing:
        return signal, 0
    return np.where(missing, signal.dtype.type(0), signal), n_missing


def interpolate(signal: np.ndarray) -> tuple[np.ndarray, int]:
    """Linear interpolation along time, lead by lead.

    Leading NaN stay NaN (nothing is known before the first sample), trailing ones repeat the last value, and
    a lead without any sample stays NaN: the rule of the published preparation of MIMIC-IV-ECG.

    Args:
        signal: (time, leads), floating.

    Returns:
        The signal (itself where nothing is missing, else a copy) and the number of NaN samples before.
    """
    missing = np.isnan(signal)
    n_missing = int(missing.sum())
    if not n_missing:
        return signal, 0
    filled = signal.copy()
    time = np.arange(len(signal))
    for lead in np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)):
        known = np.flatnonzero(~missing[:, lead])
        gaps = missing[:, lead] & (time > known[0])
        filled[gaps, lead] = np.interp(time[gaps], known, signal[known, lead])
    return filled, n_missing


def error(signal: np.ndarray, *, where: str) -> tuple[np.ndarray, int]:
    """Refuse missing samples.

    Raises:
        DataError: with the number of NaN samples and the first place.
    """
    n_missing = count(signal)
    if n_missing:
        first = tuple(int(axis) for axis in np.argwhere(np.isnan(signal))[0])
        raise DataError(
            f"{where}: {n_missing} of {signal.size} samples are NaN, the first at {first}; expected none",
            fix="leave the record out, or fill the gaps with signals.nan.interpolate or signals.nan.zero",
        )
    return signal, 0
