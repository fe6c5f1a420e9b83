"""Weights that are drawn from a seed, whatever was drawn before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def fixed_seed(seed: int = 0) -> Iterator[None]:
    """Random numbers of `seed` inside the block, torch's generators as they were after it."""
    # Named, because torch warns where there are several and none is.
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
