"""What a recorder sees besides the heart, as potentials at the nine electrodes.

Noise arises at electrodes, not in leads: so it obeys Einthoven's law like the heart's own signal, and a bad
arm electrode is seen in all leads that use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hf_ecg_bench.data.synthetic.dipole import FloatArray

N_ELECTRODES = 9


@dataclass(frozen=True)
class NoiseLevels:
    """Sizes per electrode, mV: drift (below 0.5 Hz), breathing, muscle (15-160 Hz), mains (50 Hz)."""

    drift: float
    breathing: float
    muscle: float
    mains: float


def draw_levels(rng: np.random.Generator) -> NoiseLevels:
    """One recording's levels: log-normal, so that most are clean and a few are bad."""
    drift, breathing, muscle, mains = np.exp(rng.normal(0, (0.6, 0.7, 0.6, 0.9)))
    return NoiseLevels(
        drift=min(0.022 * float(drift), 0.12),
        breathing=min(0.016 * float(breathing), 0.10),
        muscle=min(0.0065 * float(muscle), 0.035),
        mains=min(0.0025 * float(mains), 0.02),
    )


@lru_cache(maxsize=4)
def _drift_basis(samples: int, rate: int) -> FloatArray:
    """Sines and cosines (samples, 18) of 0.05 to 0.45 Hz, amplitude falling with frequency, variance 1."""
    frequency = 0.05 * np.arange(1, 10)
    phase = 2 * np.pi * frequency * np.arange(samples)[:, None] / rate
    amplitude = 1 / frequency
    amplitude /= np.sqrt((amplitude**2).sum())
    return np.concatenate([amplitude * np.sin(phase), amplitude * np.cos(phase)], axis=1)


@lru_cache(maxsize=4)
def _muscle_spectrum(samples: int, rate: int) -> tuple[slice, FloatArray]:
    """The band and amplitudes of muscle noise, such that unit normal coefficients give variance 1."""
    frequency = np.fft.rfftfreq(samples, 1 / rate)
    low, high = np.searchsorted(frequency, (15, min(160, 0.48 * rate)))
    band = frequency[low:high]
    shape = np.minimum((band - 10) / 20, 1) * np.exp(-0.5 * (band / 90) ** 2)
    # irfft of coefficients c has variance 2 sum |c|^2 / samples^2, and |c|^2 is 2 for unit normal parts.
    return slice(int(low), int(high)), shape * samples / (2 * np.sqrt((shape**2).sum()))


def electrode_noise(rng: np.random.Generator, levels: NoiseLevels, breathing: FloatArray, rate: int) -> FloatArray:
    """Noise potentials (time, 9) in mV at RA, LA, LL, V1..V6; `breathing` (time,) is -1 to 1."""
    samples = len(breathing)
    basis = _drift_basis(samples, rate)
    noise = basis @ (levels.drift * rng.standard_normal((basis.shape[1], N_ELECTRODES)))
    noise += breathing[:, None] * (levels.breathing * rng.standard_normal(N_ELECTRODES))

    band, amplitude = _muscle_spectrum(samples, rate)
    spectrum = np.zeros((N_ELECTRODES, samples // 2 + 1), dtype=np.complex128)
    parts = rng.standard_normal((2, N_ELECTRODES, len(amplitude)))
    # Some electrodes lie on tenser muscles than others.
    tension = levels.muscle * np.exp(rng.normal(0, 0.35, N_ELECTRODES))[:, None]
    spectrum[:, band] = (parts[0] + 1j * parts[1]) * (amplitude * tension)
    muscle = np.fft.irfft(spectrum, samples, axis=1)

    # Mains: of different strength and phase at each electrode; the grid is never exactly at 50 Hz.
    angle = 2 * np.pi * (50 + rng.normal(0, 0.02)) * np.arange(samples) / rate
    coupling = levels.mains * rng.standard_normal((2, N_ELECTRODES))
    noise += muscle.T
    noise += np.stack([np.sin(angle), np.cos(angle)], axis=1) @ coupling
    return noise
