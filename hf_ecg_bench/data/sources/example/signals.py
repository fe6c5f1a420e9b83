"""Made-up 12-lead recordings, for examples, tests and benchmarks; nothing clinical about them."""

from __future__ import annotations

import numpy as np

# Centre and width as shares of a beat, height in microvolts: P, Q, R, S, T.
_WAVES = ((0.3, 0.03, 120), (0.43, 0.008, -80), (0.45, 0.012, 1000), (0.47, 0.009, -200), (0.68, 0.05, 250))


def example_ecg(seed: int, samples: int = 5000, rate: float = 500.0) -> np.ndarray:
    """(time, 12) int16 in microvolts: beats of five Gaussian waves, wander and noise; limb leads agree to 1 uV.

    Real ECGs take few distinct values and compress accordingly; so do these.
    """
    rng = np.random.default_rng([seed, 12])
    phase = np.cumsum(np.full(samples, rng.uniform(0.9, 1.6) / rate)) % 1
    beat = sum(height * np.exp(-0.5 * ((phase - at) / width) ** 2) for at, width, height in _WAVES)
    leads = rng.uniform(-1, 1, 8)[None] * np.asarray(beat)[:, None] + rng.normal(0, 8, (samples, 8))
    leads += 60 * np.sin(np.arange(samples) * 500 / rate / 900 + rng.uniform(0, 6, (8, 1))).T
    i, ii = leads[:, 0], leads[:, 1]
    limbs = np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2], axis=1)
    return np.round(np.concatenate([limbs, leads[:, 2:]], axis=1)).astype(np.int16)


def shifted(ecg: np.ndarray, number: int) -> np.ndarray:
    """The recording turned by `number` samples: another signal at the price of a copy, with limb leads that agree."""
    return np.roll(ecg, number, axis=0)
