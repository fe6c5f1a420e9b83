"""Batches of stored features in float32, in memory that is kept from batch to batch."""

from __future__ import annotations

import torch


class FloatBuffer:
    """Float32 copies of features, one at a time.

    On a CPU, fresh memory for the tens of megabytes of a batch of tokens costs as much time as the head itself. The
    copy is good until the next one is asked for; autograd refuses a backward pass that would come too late.
    """

    def __init__(self) -> None:
        self._kept = torch.empty(0)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """The features in float32; themselves where they are.

        Args:
            features: of any shape and floating type.
        """
        if features.dtype == torch.float32 or features.device.type != "cpu" or torch.compiler.is_compiling():
            return features.float()
        if self._kept.numel() < features.numel() or self._kept.is_inference() != torch.is_inference_mode_enabled():
            self._kept = torch.empty(features.numel())
        return self._kept[: features.numel()].view(features.shape).copy_(features)
