"""Wall and CPU seconds of a run's phases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

#: In the order of a run. `validation` is what the training spends on choosing its epoch; `fitted` is predicting
#: training and validation records with the finished model; `write` is everything but result.json itself, which holds
#: these numbers.
PHASES = ("load", "features", "train", "validation", "test", "fitted", "write")


class Spent(NamedTuple):
    """Seconds on the clock, and seconds of CPU time of all threads of this process (not of its children)."""

    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Spent) -> Spent:  # type: ignore[override]
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


class Phases:
    """Adds up the time spent in each phase. A phase inside another one interrupts it: no second counts twice."""

    def __init__(self) -> None:
        self._seconds: dict[str, Spent] = {}
        self._running: list[str] = []
        self._since = (0.0, 0.0)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count the block's time for `name`, whether it ends well or not.

        Raises:
            ValueError: not one of `PHASES`.
        """
        if name not in PHASES:
            raise ValueError(f"phase {name!r}: expected one of {', '.join(PHASES)}")
        self._book()
        self._running.append(name)
        try:
            yield
        finally:
            self._book()
            self._running.pop()

    @property
    def running(self) -> bool:
        """Whether a phase is."""
        return bool(self._running)

    def seconds(self) -> dict[str, Spent]:
        """What was spent so far, running phases included, by phase in their order."""
        self._book()
        return {name: self._seconds[name] for name in PHASES if name in self._seconds}

    def _book(self) -> None:
        """Give the time since the last call to the innermost running phase."""
        now = (time.perf_counter(), time.process_time())
        if self._running:
            name = self._running[-1]
            spent = Spent(now[0] - self._since[0], now[1] - self._since[1])
            self._seconds[name] = self._seconds.get(name, Spent()) + spent
        self._since = now
