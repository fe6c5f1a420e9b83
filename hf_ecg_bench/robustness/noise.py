"""Noise as it enters an ECG: at the electrodes, from where it spreads over the leads as the leads are defined."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hf_ecg_bench.signals.leads import LEADS

#: The electrodes whose potentials make the twelve leads (the right leg is ground).
ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")
# Slow noise is made of sines of whole periods in a minute, so that a record of any length holds a part of it.
_BASE_SECONDS = 60.0


def electrodes_to_leads() -> np.ndarray:
    """(9, 12) float64: potentials of `ELECTRODES` times this are the twelve leads, by Einthoven, Goldberger, Wilson."""
    ra, la, ll, *chest = np.eye(len(ELECTRODES))
    terminal = (ra + la + ll) / 3
    limb = (la - ra, ll - ra, ll - la, ra - (la + ll) / 2, la - (ra + ll) / 2, ll - (ra + la) / 2)
    return np.stack([*limb, *(v - terminal for v in chest)], axis=1)


#: Root mean square of each lead, where every electrode has independent noise of root mean square 1: (12,).
LEAD_RMS = np.sqrt((electrodes_to_leads() ** 2).sum(axis=0))


def from_electrodes(potentials: np.ndarray) -> np.ndarray:
    """(time, 9) electrode potentials -> (time, 12) leads: they obey the relations of the limb leads exactly."""
    return potentials @ electrodes_to_leads()


def slow_noise(rng: np.random.Generator, samples: int, rate: float, low: float, high: float) -> np.ndarray:
    """(samples, 9) of sines between `low` and `high` Hz with random phases, of expected root mean square 1.

    A record shorter than a period of the lowest sine holds a piece of it.
    """
    # cos(a + p) = cos a cos p - sin a sin p: two matrix products instead of a cosine for every sample and electrode
    cosines, sines = _waves(samples, rate, low, high)
    phases = rng.uniform(0, 2 * np.pi, (cosines.shape[1], len(ELECTRODES)))
    return (cosines @ np.cos(phases) - sines @ np.sin(phases)) * np.sqrt(2 / len(phases))


@lru_cache(maxsize=4)
def _waves(samples: int, rate: float, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """(samples, frequencies) cosines and sines; records of a dataset mostly have one length."""
    frequencies = np.arange(np.ceil(low * _BASE_SECONDS), np.floor(high * _BASE_SECONDS) + 1) / _BASE_SECONDS
    angle = 2 * np.pi * frequencies * np.arange(samples)[:, None] / rate
    return np.cos(angle), np.sin(angle)


def band_noise(rng: np.random.Generator, samples: int, rate: float, low: float, high: float) -> np.ndarray:
    """(samples, 9) of noise with a flat spectrum between `low` and `high` Hz (or half of the rate) and nothing outside
    of it, each electrode of root mean square 1 exactly; zeros where the record is too short for the band."""
    frequencies = np.fft.rfftfreq(samples, 1 / rate)
    inside = (frequencies >= low) & (frequencies <= high) & (frequencies < rate / 2)
    spectrum = np.zeros((len(frequencies), len(ELECTRODES)), np.complex128)
    phases = rng.uniform(0, 2 * np.pi, (int(inside.sum()), len(ELECTRODES)))
    if not len(phases):
        return np.zeros((samples, len(ELECTRODES)))
    spectrum[inside] = np.exp(1j * phases) * samples / np.sqrt(2 * len(phases))
    return np.fft.irfft(spectrum, n=samples, axis=0)


def mains_noise(rng: np.random.Generator, samples: int, rate: float, frequency: float) -> np.ndarray:
    """(samples, 9) of one sine, in one phase at all electrodes, coupled into each by another amount (normally
    distributed, expected root mean square 1)."""
    wave = np.sqrt(2) * np.cos(2 * np.pi * frequency * np.arange(samples) / rate + rng.uniform(0, 2 * np.pi))
    return wave[:, None] * rng.normal(size=len(ELECTRODES))


def lead_columns(*names: str) -> list[int]:
    """Columns of these leads."""
    return [LEADS.index(name) for name in names]
