"""Out of memory: smaller batches for the same numbers, said aloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.files import write_json
from hf_ecg_bench.saying import Say

T = TypeVar("T")

#: In the Trainer's folder: the sizes that fitted, for the next start of the same run.
MEMORY_FILE = "memory.json"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the host had too little memory (Accelerate's test, and what it leaves out)."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and (
        should_reduce_batch_size(error) or "DefaultCPUAllocator: not enough memory" in str(error)
    )


def smaller_accumulation(records: int, accumulation: int) -> int | None:
    """Micro-batches per step, at least twice as many, that divide a process's `records` of a step; None: no more."""
    return next((n for n in range(2 * accumulation, records + 1) if records % n == 0), None)


def with_less_memory(compute: Callable[[int], T], size: int, what: str, say: Say) -> tuple[T, int]:
    """Call `compute(size)`, with half the size again and again where memory runs out.

    `compute` must be repeatable: what it did before it failed is done again.

    Args:
        what: is computed, for the message.

    Returns:
        What it returned, and the size that fitted.

    Raises:
        TrainingError: there is not even memory for a size of 1.
    """
    while True:
        try:
            return compute(size), size
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                raise TrainingError(
                    f"out of memory: {what} does not fit even one at a time", fix="a device with more memory"
                ) from error
        # Outside of the except block: the error holds the tensors of the failed try.
        clear_device_cache(garbage_collection=True)
        say(f"out of memory: {what} in batches of {size // 2} instead of {size}")
        size //= 2


def remember_sizes(folder: Path, processes: int, sizes: dict[str, int]) -> None:
    """Keep what fitted, so that a killed run goes on with it and its numbers do not depend on the kill."""
    write_json(folder / MEMORY_FILE, {"processes": processes, **sizes})


def remembered_sizes(folder: Path, processes: int) -> dict[str, int]:
    """What fitted in an earlier start on as many processes; empty where nothing had to shrink."""
    try:
        raw: dict[str, Any] = json.loads((folder / MEMORY_FILE).read_text(encoding="utf-8"))
        sizes = {str(name): int(size) for name, size in raw.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
    return sizes if sizes.pop("processes", None) == processes else {}
