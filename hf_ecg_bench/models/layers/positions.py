"""Fixed position tables: sines and cosines of geometrically spaced frequencies (A. Vaswani et al., NeurIPS 2017)."""

from __future__ import annotations

import torch
from torch import Tensor


def sine_cosine_table(positions: Tensor, size: int) -> Tensor:
    """(positions,) -> (positions, size) in float32: size / 2 sines, then as many cosines.

    The angle of entry i is position * 10000^(-i / (size / 2)), computed in float64.
    """
    half = size // 2
    rates = 10000.0 ** (-torch.arange(half, dtype=torch.float64, device=positions.device) / half)
    angles = positions.double()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()
