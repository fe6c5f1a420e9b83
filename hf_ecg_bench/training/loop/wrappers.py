"""What Accelerate puts around a module, taken off again, so that another training of it starts as the first one."""

from __future__ import annotations

from accelerate.utils import extract_model_from_parallel
from torch import nn


def unwrapped(module: nn.Module) -> nn.Module:
    """The bare module: without distribution, without the autocast in its forward, and not marked as prepared.

    Accelerate's own function leaves the mark: prepared again, the module would be trained without autocast.
    """
    bare: nn.Module = extract_model_from_parallel(module, keep_fp32_wrapper=False)
    vars(bare).pop("_is_accelerate_prepared", None)
    return bare
