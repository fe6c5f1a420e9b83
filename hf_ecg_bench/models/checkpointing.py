"""Gradient checkpointing that computes a block again without counting its batch statistics again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from hf_ecg_bench.errors import TrainingError

REENTRANT = "gradient checkpointing with use_reentrant=True would update the running statistics of BatchNorm twice"


@dataclass
class CheckpointedBlock:
    """What a checkpointed block runs its forward through, in place of `torch.utils.checkpoint.checkpoint`.

    Attributes:
        block: the block (looked into at each recomputation: its modules may be replaced in the meantime).
        checkpoint: the checkpoint function with the user's options.
    """

    block: nn.Module
    checkpoint: Callable[..., Any]

    def __post_init__(self) -> None:
        options = self.checkpoint.keywords if isinstance(self.checkpoint, partial) else {}
        if options.get("use_reentrant") and any(isinstance(module, _BatchNorm) for module in self.block.modules()):
            raise TrainingError(REENTRANT, fix='gradient_checkpointing_kwargs={"use_reentrant": False}')

    def __call__(self, function: Callable[..., Any], *args: Any) -> Any:
        # A compiled graph applies its side effects once anyway, and takes no contexts of ours.
        if torch.compiler.is_compiling() or not any(isinstance(m, _BatchNorm) for m in self.block.modules()):
            return self.checkpoint(function, *args)
        return self.checkpoint(function, *args, context_fn=self._contexts)

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """What the first computation and the second one run in."""
        return nullcontext(), statistics_kept(self.block)


@contextmanager
def statistics_kept(block: nn.Module) -> Iterator[None]:
    """Inside, BatchNorm in train mode normalises by the batch as always and leaves its buffers as they are.

    The buffers are still handed to the kernel, with a weight of 0 for the batch: a checkpoint compares the
    number of tensors that both computations save.
    """
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    try:
        for norm in norms:
            norm.momentum, norm.num_batches_tracked = 0.0, None
        yield
    finally:
        for norm, (momentum, batches) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, batches
