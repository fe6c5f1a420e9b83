"""Seconds and bytes of contenders that take turns."""

from __future__ import annotations

import ctypes
import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

Work = Callable[[], object]
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def take_turns(
    contenders: Mapping[str, Work],
    repeats: int,
    between: Work | None = None,
    seconds: float = 1.0,
    most: int = 25,
    longest: float = 60.0,
) -> dict[str, list[float]]:
    """Seconds of each call. A busy moment of the machine so hits all contenders.

    Args:
        repeats: turns at least.
        between: done before each call, outside the clock.
        seconds: short calls get more turns, until each has had so long...
        most: ...or so many.
        longest: where all turns together have taken so long, two are enough.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    turn = 0
    while turn < repeats or (turn < most and min(map(sum, times.values())) < seconds):
        if turn >= 2 and sum(map(sum, times.values())) > longest:
            break
        for name, work in contenders.items():
            if between is not None:
                between()
            synchronise()
            started = time.perf_counter()
            work()
            synchronise()
            times[name].append(time.perf_counter() - started)
        turn += 1
    return times


def synchronise() -> None:
    """Wait for an accelerator's queue."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def median_ratio(times: Mapping[str, list[float]], numerator: str, denominator: str) -> float:
    """Median over the turns of one contender's time over another's."""
    return statistics.median(a / b for a, b in zip(times[numerator], times[denominator], strict=True))


class Memory:
    """Growth of memory since this was made, at its peak during a call.

    On a GPU: what torch allocated. On Linux: the process's resident memory (VmHWM, whose peak is reset before each
    call); elsewhere ru_maxrss, which is the peak of the whole process so far.
    """

    def __init__(self, device: str) -> None:
        self._cuda = device == "cuda"
        self._before = self._now()

    @property
    def method(self) -> str:
        """How it is measured."""
        if self._cuda:
            return "torch.cuda.max_memory_allocated"
        return "VmHWM" if _RESET.exists() else "ru_maxrss"

    def peak(self, work: Work) -> float:
        """Bytes more than at the start, at the peak of `work`."""
        self._reset()
        work()
        synchronise()
        return max(0, self._high() - self._before)

    def _now(self) -> int:
        _trim()
        return torch.cuda.memory_allocated() if self._cuda else self._field("VmRSS")

    def _reset(self) -> None:
        _trim()
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
        elif _RESET.exists():
            _RESET.write_text("5")

    def _high(self) -> int:
        return torch.cuda.max_memory_allocated() if self._cuda else self._field("VmHWM")

    @staticmethod
    def _field(name: str) -> int:
        if not _RESET.exists():
            unit = 1 if sys.platform == "darwin" else 1024
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024


def _trim() -> None:
    """Give freed memory back to the system, where the C library can."""
    gc.collect()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def product_speed(device: str, dtype: torch.dtype, size: int = 1024) -> float:
    """Operations per second of a large matrix product, the best of a few."""
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / min(take_turns({"product": lambda: left @ right}, 10, seconds=0.1)["product"])
