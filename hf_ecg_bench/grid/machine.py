"""This machine's cores and accelerators, without torch: how many cells it computes at a time, and with what."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

_PATIENCE = 20.0  # seconds for nvidia-smi
_THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True)
class Worker:
    """A place for a cell.

    Attributes:
        number: from 0.
        device: what CUDA_VISIBLE_DEVICES is set to; None leaves it as it is.
        threads: of torch.
    """

    number: int
    device: str | None
    threads: int

    def environment(self) -> dict[str, str]:
        """Variables of a cell's process."""
        return {} if self.device is None else {"CUDA_VISIBLE_DEVICES": self.device}


def make_workers(wanted: int, cores: int, devices: list[str], threads: int | None = None) -> list[Worker]:
    """Workers of this machine: one accelerator each, as long as there are some, and an equal share of the cores.

    Args:
        wanted: how many; 0: one for each accelerator, without any one for every two cores.
        devices: what CUDA_VISIBLE_DEVICES may name. More workers than these share them.
        threads: of each, where the user has set it.
    """
    number = wanted or len(devices) or max(1, cores // 2)
    each = threads or max(1, cores // number)
    return [Worker(n, devices[n % len(devices)] if devices else None, each) for n in range(number)]


def shared_environment(workers: list[Worker]) -> dict[str, str]:
    """Variables that libraries read when they are imported, so that all cells have them in common."""
    return {
        _THREADS: str(workers[0].threads),
        "OPENBLAS_NUM_THREADS": "1",  # numpy's products run on one thread anyway, and threads forbid to fork
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # asking whether there is a GPU must not open it before the fork
        "HF_ECG_BENCH_NO_PROGRESS": "1",
    }


def user_threads() -> int | None:
    """What the user has set OMP_NUM_THREADS to."""
    text = os.environ.get(_THREADS, "")
    return int(text) if text.isdigit() and int(text) > 0 else None


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def accelerators() -> list[str]:
    """NVIDIA devices as CUDA_VISIBLE_DEVICES names them; those that the variable allows, where it is set."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [part.strip() for part in visible.split(",") if part.strip() and part.strip() != "-1"]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=_PATIENCE, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.stdout.splitlines() if line.strip().isdigit()]
