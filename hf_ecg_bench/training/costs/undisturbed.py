"""Measuring a model without leaving a trace in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """The model in eval mode, and random numbers that are not missed later.

    Afterwards every module is in the mode that it was in, and torch's generators stand where they stood. In eval mode
    no forward pass changes a buffer (batch statistics); gradients are the caller's business.
    """
    modes = [(module, module.training) for module in model.modules()]
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        # Not model.eval(): a classifier's own `train` decides what stays frozen.
        for module, _ in modes:
            module.training = False
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
