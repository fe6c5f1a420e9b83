"""Dropout that does not spend its time on random numbers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_STEPS = 1 << 16


def dropout(x: Tensor, probability: float, training: bool = True) -> Tensor:
    """Zero entries at random and scale the others by 1 / (1 - probability), in train mode.

    torch draws one number per entry on a CPU, which takes longer than the layers' other elementwise work
    together. Here a random 64-bit number serves four entries with 16 bits each: the probability is rounded to a
    multiple of 1/65536, and the scale belongs to the rounded one. Same generator as torch's, so that seeds and
    gradient checkpointing work as ever. On other devices, and where a compiler generates the code, torch's own.
    """
    if not training or probability == 0:
        return x
    dropped = round(probability * _STEPS)
    if x.device.type != "cpu" or torch.compiler.is_compiling() or not 0 < dropped < _STEPS:
        return functional.dropout(x, probability)
    draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(1 << 63), None)
    parts = draws.view(torch.int16)[: x.numel()].view(x.shape)
    kept = torch.empty(x.shape, dtype=x.dtype)
    torch.ge(parts, dropped - _STEPS // 2, out=kept)
    return x * kept.mul_(_STEPS / (_STEPS - dropped))
