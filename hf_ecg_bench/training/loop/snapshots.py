"""What training changes in a module, copied and put back: several trainings then start from the same weights."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn


def tuned_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Copies, on the CPU, of the trained parameters and of all buffers (batch statistics) by name."""
    return {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in _own(module)}


def restore_tuned(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put such copies back, bit for bit, in place.

    Raises:
        KeyError: `tensors` are those of another module.
    """
    with torch.no_grad():
        for name, tensor in _own(module):
            tensor.copy_(tensors[name])


def _own(module: nn.Module) -> list[tuple[str, Tensor]]:
    trained = ((name, tensor) for name, tensor in module.named_parameters() if tensor.requires_grad)
    return list(chain(trained, module.named_buffers()))
