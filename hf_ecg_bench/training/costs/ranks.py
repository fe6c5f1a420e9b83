"""Adding up numbers over the processes of a launch."""

from __future__ import annotations

from collections.abc import Sequence

from hf_ecg_bench.training.surviving.processes import world_size


def added_up(values: Sequence[float]) -> list[float]:
    """The sums over all processes, each of which has to call this at the same place; the values where there is one."""
    if world_size() == 1:
        return list(values)
    import torch
    from torch import distributed

    if not distributed.is_initialized():  # the processes have not met: there is nobody to ask
        return list(values)
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    tensor = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(tensor)
    return tensor.tolist()
