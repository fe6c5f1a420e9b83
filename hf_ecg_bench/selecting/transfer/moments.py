"""Second moments of features and targets, and their eigenvectors: all that LogME and the H-score need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.selecting.transfer.columns import Floats

_BLOCK = 4096  # records turned into float64 together: 32 MB at 1,024 features


@dataclass(frozen=True, eq=False)
class Moments:
    """Of features F (n, dim) and targets y (n, targets).

    Attributes:
        n: records.
        squares: (k,) eigenvalues of F'F that are not zero (the squared singular values of F).
        vectors: (dim, k) their eigenvectors.
        along: (k, targets) products of the left singular vectors with y.
        y_squares: (targets,) sums of squares.
        fourth: sum over records of |f|^4, which shrinkage needs.
        dim: of the features.
    """

    n: int
    squares: Floats
    vectors: Floats
    along: Floats
    y_squares: Floats
    fourth: float
    dim: int


def moments(features: NDArray[np.floating], targets: Floats, *, centred: bool) -> Moments:
    """The moments, about the means where `centred`; one pass over the records in float64.

    The eigenvectors of F'F are those of F's singular value decomposition at a fraction of its cost; directions below
    rounding (1e-12 of the largest) are left out.
    """
    n, dim = features.shape
    mean = features.mean(0, dtype=np.float64) if centred else np.zeros(dim)
    y = targets - targets.mean(0) if centred else targets
    gram, cross, fourth = np.zeros((dim, dim)), np.zeros((dim, y.shape[1])), 0.0
    for start in range(0, n, _BLOCK):
        part = features[start : start + _BLOCK] - mean
        gram += part.T @ part
        cross += part.T @ y[start : start + _BLOCK]
        fourth += float(((part**2).sum(1) ** 2).sum())
    squares, vectors = np.linalg.eigh(gram)
    kept = squares > max(squares[-1], 0) * 1e-12
    squares, vectors = squares[kept], vectors[:, kept]
    along = (vectors.T @ cross) / np.sqrt(squares)[:, None]
    return Moments(n, squares, vectors, along, (y**2).sum(0), fourth, dim)
