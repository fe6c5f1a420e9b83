"""Labels on several threads: numpy releases the interpreter for most of what a label costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
# Records times resamples times labels from which threads are worth starting.
_WORTH = 10**8
_MOST = 8


def each_label(run: Callable[[int], Result], n_labels: int, work: int) -> Iterable[Result]:
    """`run` of every label's number, in order.

    Args:
        work: records times resamples times labels; little work stays on this thread.
    """
    threads = min(_MOST, n_labels, _cores())
    if threads < 2 or work < _WORTH:
        yield from map(run, range(n_labels))
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(run, range(n_labels))


def _cores() -> int:
    """Cores that this process may use; OMP_NUM_THREADS, which numpy's own threads obey, holds here too."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(there, int(wanted)) if wanted.isdigit() and int(wanted) else there
