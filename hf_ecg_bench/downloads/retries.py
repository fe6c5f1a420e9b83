"""When to try again, and how long to wait before."""

from __future__ import annotations

import email.utils
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hf_ecg_bench.errors import DownloadError

T = TypeVar("T")


@dataclass(frozen=True)
class Retry:
    """How stubborn to be.

    Attributes:
        attempts: in a row that gain nothing. One that got further counts as none.
        unreachable: the same where the host has never answered: somebody without a network should know it soon.
        wait: seconds before the second attempt; each further wait is twice as long.
        longest: seconds; a server that asks for a longer wait gets no further attempt.
        total: attempts altogether.
        pause: what waits (None: `time.sleep`); it may raise to end the attempts.
    """

    attempts: int = 5
    unreachable: int = 2
    wait: float = 1.0
    longest: float = 60.0
    total: int = 100
    pause: Callable[[float], None] | None = None


class Temporary(Exception):
    """An attempt failed in a way that the next one may not.

    Attributes:
        wait: seconds that the server asked for.
        answered: whether there was an answer at all.
    """

    def __init__(self, message: str, *, wait: float | None = None, answered: bool = True) -> None:
        super().__init__(message)
        self.wait = wait
        self.answered = answered


def persist(attempt: Callable[[], T], retry: Retry, what: str, gained: Callable[[], bool] = lambda: False) -> T:
    """Call `attempt` until it returns.

    Args:
        what: the address, for messages.
        gained: whether the attempt that just failed got further than those before.

    Raises:
        DownloadError: no attempt is left; or whatever else `attempt` raises.
    """
    failures, answered = 0, False
    for _ in range(retry.total):
        try:
            return attempt()
        except Temporary as problem:
            answered = answered or problem.answered
            failures = 1 if gained() else failures + 1
            allowed = retry.attempts if answered else min(retry.attempts, retry.unreachable)
            wait = min(retry.longest, retry.wait * 2 ** (failures - 1)) * random.uniform(0.8, 1.2)
            if problem.wait is not None:
                wait = problem.wait
            if failures >= allowed or wait > retry.longest * 1.2:
                asked = f"; it asks to wait {problem.wait:.0f} s" if problem.wait else ""
                raise DownloadError(
                    f"{what}: {problem}{asked} (attempt {failures} of {allowed})",
                    fix="check the network, then start the same command again: it goes on where it stopped"
                    if not asked
                    else "start the same command again later: it goes on where it stopped",
                ) from problem
            (retry.pause or time.sleep)(wait)
    raise DownloadError(
        f"{what}: the connection broke {retry.total} times", fix="start the same command again: it goes on"
    )


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header (a number, or a date); None where there is none that can be read."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def offline() -> bool:
    """Whether the user has said that there is no network, with the variable of the Hugging Face libraries."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
