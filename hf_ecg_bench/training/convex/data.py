"""What a linear head is fitted to: standardised features along their principal axes, and their records' targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

_CHEAP = 2e8  # multiplications of a product below which float64 costs nothing worth saving
_BLOCK = 4096  # rows that are converted at once


class FeatureRows(Protocol):
    """Pooled features of windows, read by position.

    Attributes:
        record: (windows,) position of each window's record.
    """

    record: np.ndarray

    def read(self, rows: np.ndarray) -> np.ndarray:
        """(n, size) float32."""


@dataclass
class LinearData:
    """What is fitted.

    Rotating features changes no ridge penalty, but makes the Hessian nearly diagonal: then a solver needs tens of
    iterations instead of hundreds.

    Attributes:
        features: (windows, size) standardised, rotated; float64 where that is cheap, else float32.
        record: (windows,) position of each window's record; weight: (windows,), 1 in total per record.
        targets: (records, targets) float, NaN where missing.
        is_regression: (targets,) bool.
        positive_weights: (targets,) factors of the yes/no targets' positive entries.
        mean, scale: (size,) of the raw features, float64.
        axes: (size, size), columns, float64; variance: (size,) along them.
    """

    features: Tensor
    record: np.ndarray
    weight: np.ndarray
    targets: np.ndarray
    is_regression: np.ndarray
    positive_weights: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    axes: Tensor
    variance: Tensor

    @property
    def learnable(self) -> np.ndarray:
        """(targets,) bool: yes/no targets with both classes, regression targets with any value."""
        positives, negatives = (self.targets == 1).any(axis=0), (self.targets == 0).any(axis=0)
        return np.where(self.is_regression, (~np.isnan(self.targets)).any(axis=0), positives & negatives)

    def intercepts(self) -> Tensor:
        """(size + 1, targets) parameters that are all 0 but the intercepts: log odds, 0 for regression targets."""
        positives, negatives = (self.targets == 1).sum(axis=0), (self.targets == 0).sum(axis=0)
        odds = self.positive_weights * (positives + 0.5) / (negatives + 0.5)
        result = torch.zeros(len(self.mean) + 1, len(odds), dtype=self.features.dtype)
        result[-1] = torch.from_numpy(np.where(self.is_regression, 0.0, np.log(odds)))
        return result

    def blocks(self) -> Iterator[slice]:
        """Rows in parts."""
        return _blocks(len(self.features))


def linear_data(
    rows: FeatureRows, targets: np.ndarray, is_regression: np.ndarray, positive_weights: np.ndarray | None = None
) -> LinearData:
    """Read, standardise and rotate features.

    Args:
        rows: of the training windows; each record has at least one.
        targets: (records, targets), NaN where missing.
        is_regression: (targets,) bool.
        positive_weights: (targets,) factors of the yes/no targets' positive entries; None: 1.
    """
    record = np.asarray(rows.record)
    weight = 1.0 / np.bincount(record, minlength=len(targets))[record]
    first = rows.read(np.arange(1))
    cheap = len(record) * first.shape[1] * targets.shape[1] < _CHEAP
    features = torch.empty(len(record), first.shape[1], dtype=torch.float64 if cheap else torch.float32)
    shares = torch.from_numpy(weight / weight.sum())
    mean = torch.zeros(first.shape[1], dtype=torch.float64)
    for part in _blocks(len(record)):
        features[part] = torch.from_numpy(rows.read(np.arange(part.start, part.stop)))
        mean += shares[part] @ features[part].double()
    square = torch.zeros_like(mean)
    for part in _blocks(len(record)):
        square += shares[part] @ (features[part].double() - mean).square()
    scale = square.sqrt()
    scale[scale <= 1e-6 * mean.abs()] = 1.0  # constant, up to rounding: it tells nothing, and its weight becomes 0
    gram = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for part in _blocks(len(record)):
        features[part] = ((features[part].double() - mean) / scale).to(features.dtype)
        gram += ((shares[part, None].to(features.dtype) * features[part]).T @ features[part]).double()
    variance, axes = torch.linalg.eigh(gram)
    rotation = axes.to(features.dtype)
    for part in _blocks(len(record)):
        features[part] = features[part] @ rotation
    weights = np.ones(targets.shape[1]) if positive_weights is None else positive_weights.astype(np.float64)
    return LinearData(
        features, record, weight, targets, is_regression, weights, mean.numpy(), scale.numpy(), axes,
        variance.clamp(min=0),
    )  # fmt: skip


def _blocks(length: int) -> Iterator[slice]:
    return (slice(first, min(first + _BLOCK, length)) for first in range(0, length, _BLOCK))
