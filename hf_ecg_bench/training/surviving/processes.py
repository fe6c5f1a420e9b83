"""The processes of a launch (`accelerate launch`, torchrun): one speaks and writes, all end together.

Read from the environment, so that a run of one process asks nothing of torch here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hf_ecg_bench.errors import EcgBenchError

T = TypeVar("T")


class LostProcessError(EcgBenchError):
    """Another process of the launch ended; it has said why, or was killed."""


def rank() -> int:
    """This process's number among those of the launch, from 0."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """How many processes the launch has."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this is the process that speaks and writes."""
    return rank() == 0


def wait_for_all() -> None:
    """All processes meet here; nothing to wait for with one."""
    if world_size() > 1:
        _group().wait_for_everyone()


def on_main(work: Callable[[], T]) -> T:
    """Do it in the first process; all get what it returned, or raise what it raised."""
    if world_size() == 1:
        return work()
    from accelerate.utils import broadcast_object_list

    _group()
    outcome: list[Any] = [None, None]
    if is_main():
        try:
            outcome[0] = work()
        except EcgBenchError as error:
            outcome[1] = error
    broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise outcome[1]
    result: T = outcome[0]
    return result


@contextmanager
def explain_lost_processes() -> Iterator[None]:
    """Say in words what a process sees when another one is gone: its connection breaks.

    Raises:
        LostProcessError: instead of the communication library's error.
    """
    try:
        yield
    except RuntimeError as error:  # gloo's are plain ones; NCCL's and the store's are subclasses
        if world_size() == 1 or not _is_lost_connection(error):
            raise
        raise LostProcessError(
            "another process of this launch ended: see what it said, or whether it was killed (out of memory?)",
            fix="start the same command again: it goes on from its last checkpoint",
        ) from error


def leave() -> None:
    """Part from the other processes at the end of the work, which torch asks for."""
    if world_size() > 1:
        import torch.distributed

        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _group() -> Any:
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available())


def _is_lost_connection(error: RuntimeError) -> bool:
    import torch.distributed

    words = ("gloo", "Connection closed by peer", "Connection reset by peer", "NCCL", "Socket Timeout")
    return isinstance(error, torch.distributed.DistError) or any(word in str(error) for word in words)
