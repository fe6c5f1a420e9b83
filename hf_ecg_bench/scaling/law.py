"""The law of a learning curve: error(N) = C N^-alpha + L0, after N training records. Pure functions of arrays.

L0 is the error that more labels do not remove, alpha the speed (Hestness et al. 2017, arXiv 1712.00409; Rosenfeld et
al. 2020, arXiv 1909.12673).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """One law, or many at once: all arrays have one shape.

    Attributes:
        scale: C, not negative; 0 is a curve that does not fall at all, and `alpha` is then NaN.
        alpha: the exponent.
        offset: L0, not negative.
    """

    scale: Floats
    alpha: Floats
    offset: Floats

    def error(self, records: ArrayLike) -> Floats:
        """(..., sizes): the error after each number of records."""
        sizes = np.asarray(records, np.float64)
        alpha = np.where(self.scale > 0, self.alpha, 1.0)
        return np.asarray(self.scale[..., None] * sizes ** -alpha[..., None] + self.offset[..., None])

    def records_for(self, error: ArrayLike) -> Floats:
        """The number of records after which the error is reached; inf where it never is, 0 where any number will do.

        N* = ((error - L0) / C)^(-1 / alpha).
        """
        gap = np.asarray(error, np.float64) - self.offset
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            falling = np.where(gap > 0, (gap / self.scale) ** (-1.0 / self.alpha), np.inf)
        return np.where(self.scale > 0, falling, np.where(gap >= 0, 0.0, np.inf))
