"""SIGTERM and Ctrl-C: end cleanly, at once or, in training, at the next step with a checkpoint."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(SystemExit):
    """Asked to end by SIGTERM. Temporary files are removed on the way out; the exit code is 143, as the shell's."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


class _State:
    """Of this process: the first signal that came, and how many blocks want to end by themselves."""

    received: int | None = None
    waiting: int = 0


@contextmanager
def stops_cleanly() -> Iterator[None]:
    """In the block SIGTERM raises `Stopped`, as Ctrl-C raises KeyboardInterrupt; both wait for `at_a_step`.

    Only the main thread can be signalled: elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()

    def handle(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a forked worker: as if nothing had been set up
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        first, _State.received = _State.received is None, _State.received or number
        if not (first and _State.waiting):
            _raise(number)
        if os.environ.get("RANK", "0") == "0":
            # Not print: the interrupted code may be in the middle of one.
            os.write(2, b"stopping after this step, with a checkpoint (once more: at once)\n")

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # What the parent ignores (nohup, a shell's background job) stays ignored.
    taken = [number for number in _SIGNALS if before[number] not in (signal.SIG_IGN, None)]
    for number in taken:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])
        _State.received, _State.waiting = None, 0


@contextmanager
def at_a_step() -> Iterator[None]:
    """The block asks `stop_requested` and ends by itself; a signal that it did not see is raised at its end."""
    _State.waiting += 1
    try:
        yield
    finally:
        _State.waiting -= 1
    if _State.received is not None and not _State.waiting:
        _raise(_State.received)


def stop_requested() -> bool:
    """Whether a signal has come in this process."""
    return _State.received is not None


def stop() -> None:
    """Raise what the signal stands for; `Stopped` where another process of the launch received it."""
    _raise(_State.received or signal.SIGTERM)


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Stopped
