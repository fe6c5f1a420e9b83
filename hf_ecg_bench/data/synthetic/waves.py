"""Waves of the dipole: sums of Gaussians in time, each with a direction in space.

McSharry PE, Clifford GD, Tarassenko L, Smith LA. A dynamical model for generating synthetic electrocardiogram
signals. IEEE Trans Biomed Eng 2003; 50: 289-294 (one lead); Sameni R, Clifford GD, Jutten C, Shamsollahi MB.
Multichannel ECG and noise modeling. EURASIP J Adv Signal Process 2007, 043407 (the dipole).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.data.synthetic.dipole import FloatArray

_REACH = 4.5  # standard deviations after which a Gaussian is left out: below 0.05 uV per mV
_GRID = 0.0005  # seconds


@dataclass(frozen=True)
class Waves:
    """A sum of `n` Gaussians. Times are in seconds, from the onset of the QRS complex unless said otherwise.

    Attributes:
        centre: (n,) seconds.
        width: (n,) standard deviations, seconds.
        vector: (n, 3) dipole moments at the centre, mV.
    """

    centre: FloatArray
    width: FloatArray
    vector: FloatArray

    @classmethod
    def of(cls, *rows: tuple[float, float, float, float, float]) -> Waves:
        """From rows (centre ms, width ms, x, y, z)."""
        table = np.asarray(rows, dtype=np.float64)
        return cls(table[:, 0] / 1000, table[:, 1] / 1000, table[:, 2:])

    def __add__(self, other: Waves) -> Waves:
        return Waves(
            np.concatenate([self.centre, other.centre]),
            np.concatenate([self.width, other.width]),
            np.concatenate([self.vector, other.vector]),
        )

    def shifted(self, seconds: float) -> Waves:
        """The waves, later by so many seconds."""
        return Waves(self.centre + seconds, self.width, self.vector)

    def dilated(self, factor: float) -> Waves:
        """The waves, slower by `factor` about time 0."""
        return Waves(self.centre * factor, self.width * factor, self.vector)

    def transformed(self, matrix: FloatArray) -> Waves:
        """The waves with a (3, 3) matrix applied to every vector."""
        return Waves(self.centre, self.width, self.vector @ matrix.T)

    def scaled(self, factor: float) -> Waves:
        """The waves with every vector times `factor`."""
        return Waves(self.centre, self.width, self.vector * factor)

    def at(self, seconds: FloatArray) -> FloatArray:
        """The dipole moment (time, 3) at (time,) seconds."""
        return np.exp(-0.5 * ((seconds[:, None] - self.centre) / self.width) ** 2) @ self.vector

    def span(self) -> tuple[float, float]:
        """First and last time at which any of the Gaussians counts, seconds."""
        return (
            float(np.min(self.centre - _REACH * self.width)),
            float(np.max(self.centre + _REACH * self.width)),
        )

    def extent(self, fraction: float) -> tuple[float, float]:
        """Onset and offset, s: where the spatial magnitude first and last reaches `fraction` of its peak."""
        start, stop = self.span()
        grid = np.arange(start, stop, _GRID)
        magnitude = np.linalg.norm(self.at(grid), axis=1)
        above = np.flatnonzero(magnitude >= fraction * magnitude.max())
        return float(grid[above[0]]), float(grid[above[-1]])


def add_beats(
    dipole: FloatArray,
    rate: int,
    waves: Waves,
    onsets: FloatArray,
    gain: FloatArray,
    stretch: FloatArray | None = None,
) -> None:
    """Add `waves` at every onset to the record's dipole moment, in place.

    Args:
        dipole: (time, 3) mV, written to.
        rate: Hz.
        waves: relative to the onset.
        onsets: (beats,) seconds from the record's start; beats partly or fully outside are cut.
        gain: (beats,) amplitude factors.
        stretch: (beats,) factors on the waves' times but not their widths (T moves with the RR interval).
    """
    if not len(onsets):
        return
    centre = onsets[:, None] + (waves.centre if stretch is None else waves.centre * stretch[:, None])
    reach = _REACH * waves.width
    first = np.floor((centre - reach).min(axis=1) * rate).astype(int)
    length = int(np.ceil(((centre + reach).max(axis=1) * rate - first).max())) + 1
    sample = first[:, None] + np.arange(length)
    offset = sample[:, :, None] / rate - centre[:, None, :]
    offset /= waves.width
    offset *= offset
    offset *= -0.5
    moment = np.exp(offset, out=offset) @ waves.vector
    moment *= gain[:, None, None]
    total = len(dipole)
    for begin, beat in zip(first.tolist(), moment, strict=True):
        low, high = max(begin, 0), min(begin + length, total)
        if low < high:
            dipole[low:high] += beat[low - begin : high - begin]
