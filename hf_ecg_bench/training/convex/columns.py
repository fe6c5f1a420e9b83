"""The loss of some targets of a linear head, for the minimiser: outputs, slopes, curvatures."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hf_ecg_bench.training.convex.data import LinearData

#: Width of the pseudo-Huber loss, in standard deviations of the target.
HUBER_WIDTH = 0.1

Kind = Literal["binary", "regression"]


class LinearColumns:
    """Targets of one kind over (some of) the windows.

    Args:
        data: the whole problem.
        chosen: (columns,) positions of the targets.
        kind: of all of them.
        rows: the windows.
        dtype: of the computation; None: that of the features.
    """

    def __init__(
        self, data: LinearData, chosen: np.ndarray, kind: Kind, rows: slice | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        self.kind = kind
        rows = slice(None) if rows is None else rows
        present = ~np.isnan(data.targets[:, chosen])
        targets = np.where(present, data.targets[:, chosen], 0.0)
        # A record's share of its target's mean; its windows share it.
        shares = present / np.maximum(present.sum(axis=0), 1)
        if kind == "binary":
            shares = np.where(targets == 1, shares * data.positive_weights[chosen], shares)
        record = data.record[rows]
        self.features = data.features[rows].to(dtype or data.features.dtype)
        self.labels = torch.from_numpy(targets[record]).to(self.features.dtype)
        self.shares = torch.from_numpy(shares[record] * data.weight[rows, None]).to(self.features.dtype)
        self._left: tuple[Tensor, Tensor, Tensor] | None = None

    def outputs(self, parameters: Tensor) -> Tensor:
        """(windows, columns) from (size + 1, columns) weights and intercepts."""
        return torch.addmm(parameters[-1:], self.features, parameters[:-1])

    def pull(self, slopes: Tensor) -> Tensor:
        """(size + 1, columns): the adjoint of `outputs`."""
        return torch.cat([self.features.T @ slopes, slopes.sum(0, keepdim=True)])

    def slopes(self, outputs: Tensor, columns: Tensor) -> Tensor:
        """(windows, columns): derivative of each target's mean loss by its outputs. `columns`: which are asked for."""
        labels, shares = self._of(columns)
        if self.kind == "binary":
            return torch.sigmoid(outputs).sub_(labels).mul_(shares)
        rest = outputs - labels
        return shares * rest / torch.sqrt(rest * rest + HUBER_WIDTH**2)

    def _of(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Labels and shares of some columns, copied only when others are asked for than before."""
        if len(columns) == self.labels.shape[1]:
            return self.labels, self.shares
        if self._left is None or self._left[0] is not columns:
            self._left = columns, self.labels[:, columns], self.shares[:, columns]
        return self._left[1], self._left[2]

    def curvature(self, outputs: Tensor) -> Tensor:
        """(columns,) sum over windows of the loss's second derivative by its output."""
        if self.kind == "binary":
            probability = torch.sigmoid(outputs)
            return (self.shares * probability * (1 - probability)).sum(0)
        rest = outputs - self.labels
        return (self.shares * HUBER_WIDTH**2 / (rest * rest + HUBER_WIDTH**2) ** 1.5).sum(0)

    def losses(self, outputs: Tensor) -> Tensor:
        """(columns,) float64, mean loss."""
        if self.kind == "binary":
            entries = functional.softplus(outputs) - self.labels * outputs
        else:
            entries = torch.sqrt((outputs - self.labels) ** 2 + HUBER_WIDTH**2) - HUBER_WIDTH
        return (self.shares * entries).double().sum(0)
