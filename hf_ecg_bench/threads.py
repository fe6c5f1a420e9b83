"""Two pools of threads on the same cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def numpy_on_one_thread() -> Iterator[None]:
    """Keep numpy's matrix products on one thread while torch computes on all cores. Undone at the end.

    Where windows are resampled (numpy) and encoded (torch) in turns, each pool's threads go on spinning while the
    other one works: with two cores, features of a resampled model came three times slower than with this.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield
