"""A linear head's convex problem: penalised logistic and robust linear regression on fixed features.

Per target, over the records that have it: mean loss + strength / 2 * |weights|^2, the weights those of standardised
features, the intercept free. A record's windows share its weight. Yes/no targets have the cross-entropy (with the
weights of `imbalance`, if any), regression targets the pseudo-Huber loss sqrt(r^2 + d^2) - d with d = 0.1 of a
standard deviation: the absolute error of the Trainer's loss, but smooth at 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hf_ecg_bench.training.convex.columns import Kind, LinearColumns
from hf_ecg_bench.training.convex.data import LinearData
from hf_ecg_bench.training.convex.lbfgs import minimise

#: A target has converged where its gradient's norm is below this share of its loss's mean curvature.
TOLERANCE = 1e-5
_AT_ONCE = 1 << 25  # entries of (windows, targets) in memory at once


@dataclass
class Solution:
    """Weights of all targets at one strength.

    Attributes:
        parameters: (size + 1, targets) along the data's axes; the last row holds the intercepts.
        gradient: (targets,) its norm as a share of the target's mean curvature.
        converged: (targets,) bool.
        iterations: the largest number of iterations of a target.
        loss: on the training records, without the penalty: the mean over targets, of both kinds added.
    """

    parameters: Tensor
    gradient: np.ndarray
    converged: np.ndarray
    iterations: int
    loss: float

    def folded(self, data: LinearData) -> tuple[np.ndarray, np.ndarray]:
        """(targets, size) weights and (targets,) intercepts for raw features, float64."""
        weights = (data.axes @ self.parameters[:-1].double()).numpy() / data.scale[:, None]
        return weights.T, self.parameters[-1].double().numpy() - data.mean @ weights


def solve(data: LinearData, strength: float, start: Solution | None = None) -> Solution:
    """Minimise at one strength, from another one's solution or from the intercepts alone.

    A target without two classes (or without any value) has nothing to be learned from: its weights are 0, and its
    intercept is the log odds of (positives + 1/2) to (negatives + 1/2).

    Args:
        strength: of the penalty, above 0.
    """
    targets = len(data.is_regression)
    result = Solution(data.intercepts(), np.zeros(targets), np.ones(targets, bool), 0, 0.0)
    losses = np.zeros(targets)
    for kind, chosen in _groups(data):
        columns = LinearColumns(data, chosen, kind)
        first = result.parameters[:, chosen]
        scale = columns.curvature(columns.outputs(first))
        if start is not None:
            first = start.parameters[:, chosen]
        curvature = columns.curvature(columns.outputs(first))
        # The Hessian, if the curvature were the same everywhere: diagonal along the axes.
        variance = torch.cat([data.variance, torch.ones(1, dtype=torch.float64)]).to(first.dtype)
        ridge = torch.full((len(variance), 1), strength, dtype=first.dtype)
        ridge[-1] = 0
        diagonal = torch.maximum(variance[:, None] * curvature, 1e-3 * scale * (ridge == 0)) + ridge
        minimum = minimise(columns, first, ridge, diagonal, TOLERANCE * scale)
        result.parameters[:, chosen] = minimum.parameters
        result.iterations = max(result.iterations, int(minimum.iterations.max()))
        result.gradient[chosen] = (minimum.gradient / scale).numpy()
        result.converged[chosen] = minimum.converged.numpy()
        losses[chosen] = columns.losses(columns.outputs(minimum.parameters)).numpy()
    for of_kind in (~data.is_regression & data.learnable, data.is_regression & data.learnable):
        result.loss += float(losses[of_kind].mean()) if of_kind.any() else 0.0
    return result


def _groups(data: LinearData) -> Iterator[tuple[Kind, np.ndarray]]:
    """The targets to be learned, by kind, as many at once as fit into memory."""
    at_once = max(1, _AT_ONCE // len(data.features))
    kinds: tuple[tuple[Kind, np.ndarray], ...] = (("binary", ~data.is_regression), ("regression", data.is_regression))
    for kind, of_kind in kinds:
        found = np.flatnonzero(of_kind & data.learnable)
        for first in range(0, len(found), at_once):
            yield kind, found[first : first + at_once]


def exact_gradient(data: LinearData, strength: float, solution: Solution) -> np.ndarray:
    """(targets,) as `Solution.gradient`, with all sums in float64: whether float32 was good enough."""
    result = np.zeros(len(data.is_regression))
    for kind, chosen in _groups(data):
        at = solution.parameters[:, chosen].double()
        total = strength * at
        total[-1] = 0
        scale = torch.zeros(len(chosen), dtype=torch.float64)
        for rows in data.blocks():
            block = LinearColumns(data, chosen, kind, rows, torch.float64)
            total += block.pull(block.slopes(block.outputs(at), torch.arange(len(chosen))))
            scale += block.curvature(block.outputs(data.intercepts()[:, chosen].double()))
        result[chosen] = (total.norm(dim=0) / scale).numpy()
    return result
