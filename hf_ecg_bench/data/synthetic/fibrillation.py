"""The atria in fibrillation: f waves instead of P waves.

After Stridh M, Sornmo L. Spatiotemporal QRST cancellation techniques for analysis of atrial fibrillation.
IEEE Trans Biomed Eng 2001; 48: 105-111: a sawtooth of a few harmonics whose frequency and
amplitude vary slowly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.data.synthetic.dipole import FloatArray

_HARMONICS = 3


@dataclass(frozen=True)
class FibrillatoryWaves:
    """Parameters of one recording's f waves.

    Attributes:
        frequency: Hz; deviation: Hz, by which it swings at deviation_rate Hz.
        vector: (3,) mV; lag: (3,) radians by which the axes differ, so that the dipole moves on a loop.
        swell: relative amplitude modulation at swell_rate Hz; phase: (4,) radians.
    """

    frequency: float
    deviation: float
    deviation_rate: float
    vector: FloatArray
    lag: FloatArray
    swell: float
    swell_rate: float
    phase: FloatArray

    def at(self, seconds: FloatArray) -> FloatArray:
        """The atrial dipole (time, 3) in mV."""
        swing = self.deviation / self.deviation_rate * np.sin(2 * np.pi * self.deviation_rate * seconds + self.phase[0])
        # A second, incommensurate swing keeps the waves from looking like a regular flutter.
        swing += 2.2 * np.sin(2 * np.pi * 0.37 * self.deviation_rate * seconds + self.phase[3])
        angle = 2 * np.pi * self.frequency * seconds + swing + self.phase[1]
        size = 1 + self.swell * np.sin(2 * np.pi * self.swell_rate * seconds + self.phase[2])
        wave = np.zeros((len(seconds), 3))
        for harmonic in range(1, _HARMONICS + 1):
            wave += np.sin(harmonic * (angle[:, None] + self.lag)) / harmonic**1.6
        return wave * size[:, None] * self.vector


def draw_fibrillatory_waves(rng: np.random.Generator) -> FibrillatoryWaves:
    """Coarse or fine waves of 4.5 to 7.5 Hz, largest in V1, next in the inferior leads."""
    size = float(np.clip(np.exp(rng.normal(np.log(0.042), 0.4)), 0.016, 0.085))
    direction = np.array([-0.50, 0.45, -0.65]) + 0.15 * rng.standard_normal(3)
    return FibrillatoryWaves(
        frequency=float(rng.uniform(4.5, 7.5)),
        deviation=float(rng.uniform(0.8, 1.5)),
        deviation_rate=float(rng.uniform(0.6, 1.3)),
        vector=size * direction,
        lag=rng.uniform(-0.6, 0.6, 3),
        swell=float(rng.uniform(0.3, 0.6)),
        swell_rate=float(rng.uniform(0.5, 1.1)),
        phase=rng.uniform(0, 2 * np.pi, 4),
    )
