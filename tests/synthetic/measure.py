"""Measurements made on generated signals, as a reader with a ruler would: none knows how they were made."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.synthetic import SAMPLING_RATE

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def lead(signal: np.ndarray, name: str) -> np.ndarray:
    """One lead (time,) in mV of (time, 12)."""
    return signal[:, LEADS.index(name)]


def beat_times(signal: np.ndarray) -> np.ndarray:
    """Sample numbers of the QRS complexes: peaks of the summed absolute slope of all leads."""
    slope = np.abs(np.diff(signal, axis=0)).sum(axis=1)
    slope = np.convolve(slope, np.ones(41) / 41, mode="same")
    peaks: list[int] = []
    for sample in np.argsort(slope)[::-1]:
        if slope[sample] < 0.3 * slope.max():
            break
        if all(abs(sample - other) > 0.25 * SAMPLING_RATE for other in peaks):
            peaks.append(int(sample))
    return np.sort(peaks)


def heart_rate(signal: np.ndarray) -> float:
    """Beats per minute from the mean RR interval."""
    return float(60 * SAMPLING_RATE / np.diff(beat_times(signal)).mean())


def magnitude(signal: np.ndarray) -> np.ndarray:
    """Root mean square over the eight independent leads (time,)."""
    return np.sqrt((signal[:, [0, 1, 6, 7, 8, 9, 10, 11]] ** 2).mean(axis=1))


def qrs_extent(signal: np.ndarray, peak: int, fraction: float = 0.1) -> tuple[int, int]:
    """First and last sample of the QRS around `peak`: outside, the leads stay slow.

    Slow is below `fraction` of the fastest.

    They stay slower when they are so for 16 ms: at a turning point within the QRS they are slow for less.
    A slow QRS with a steep ST segment needs a larger fraction.
    """
    speed = np.sqrt((np.diff(signal, axis=0) ** 2).sum(axis=1))
    slow = speed < fraction * speed[peak - 50 : peak + 50].max()
    quiet = np.convolve(slow, np.ones(8), mode="valid") == 8  # quiet[i]: slow from i to i + 7
    peak = peak - 30 + int(np.argmax(speed[peak - 30 : peak + 30]))
    before, after = np.flatnonzero(quiet[: peak - 7]), np.flatnonzero(quiet[peak:])
    return int(before[-1]) + 8, peak + int(after[0])


def p_onset(signal: np.ndarray, qrs_onset: int, earliest: int) -> int:
    """First sample of the P wave between two samples: where the magnitude reaches 10 % of the wave's peak."""
    wave = magnitude(signal)[earliest : qrs_onset - 10]
    peak = int(np.argmax(wave))
    below = np.flatnonzero(wave[:peak] < 0.1 * wave[peak])
    return earliest + (int(below[-1]) + 1 if len(below) else 0)


def axis(signal: np.ndarray, onset: int, offset: int) -> float:
    """Degrees, from net areas in I and aVF."""
    one = lead(signal, "I")[onset:offset].sum()
    foot = lead(signal, "aVF")[onset:offset].sum()
    return float(np.degrees(np.arctan2(2 * foot / np.sqrt(3), one)))
