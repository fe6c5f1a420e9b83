"""Peaks of memory."""

from __future__ import annotations

import resource
import sys


def reset_gpu_peaks() -> None:
    """Forget the peaks of what ran before in this process; nothing where there is no GPU."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def memory_peaks() -> dict[str, int | None]:
    """Bytes, of this process: `process` and `children` (its largest child that has ended) in RAM, since the process
    started; `gpu_allocated` (tensors) and `gpu_reserved` (what the allocator held) since `reset_gpu_peaks`, None
    where there is no GPU.
    """
    import torch

    unit = 1 if sys.platform == "darwin" else 1024
    on_gpu = torch.cuda.is_available()
    return {
        "process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "children": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit,
        "gpu_allocated": int(torch.cuda.max_memory_allocated()) if on_gpu else None,
        "gpu_reserved": int(torch.cuda.max_memory_reserved()) if on_gpu else None,
    }
