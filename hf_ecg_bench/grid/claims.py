"""Who computes a cell: a file that its process keeps fresh, so that another machine can tell, too."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from hf_ecg_bench.files import write_json
from hf_ecg_bench.grid.folder import CLAIM

_BEAT = 10.0  # seconds between signs of life
#: A claim of another machine without a sign of life for so long is nobody's (clocks may differ a little).
PATIENCE = 120.0


@dataclass(frozen=True)
class Claim:
    """That a cell is being computed, or waits for SLURM.

    Attributes:
        host, pid, born: the process; `born` tells it from a later one with the same number. pid 0: none yet.
        started: seconds since 1970.
        job: of SLURM, else empty.
        beat: last sign of life, seconds since 1970.
    """

    host: str
    pid: int
    born: str
    started: float
    job: str = ""
    beat: float = 0.0


def read_claim(folder: Path) -> Claim | None:
    """The claim on a cell, alive or not."""
    file = folder / CLAIM
    try:
        claim = Claim(**json.loads(file.read_text(encoding="utf-8")))
        return Claim(**{**asdict(claim), "beat": file.stat().st_mtime})
    except (OSError, ValueError, TypeError):
        return None


def is_alive(claim: Claim, now: float) -> bool:
    """Whether its process is there: on this machine by its number, on another one by its last sign of life."""
    if claim.pid and claim.host == socket.gethostname() and claim.born:
        return birth(claim.pid) == claim.born
    return bool(claim.pid) and now - claim.beat < PATIENCE


def is_queued(claim: Claim) -> bool:
    """Whether it waits for SLURM."""
    return claim.pid == 0 and bool(claim.job)


def write_queued(folder: Path, job: str) -> None:
    """Note that SLURM was asked to compute the cell."""
    write_json(folder / CLAIM, asdict(Claim("", 0, "", time.time(), job)))


def birth(pid: int) -> str:
    """What tells a process from others that had its number; empty where it is gone (or there is no /proc)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as handle:
            text = handle.read()
        after = text.rsplit(")", 1)[1].split()
        return "" if after[0] in ("Z", "X") else after[19]
    except (OSError, IndexError):
        return ""


@contextmanager
def claimed(folder: Path, job: str = "") -> Iterator[None]:
    """Hold the claim on a cell in the block, with a sign of life now and then; it is removed at the end."""
    file = folder / CLAIM
    write_json(file, asdict(Claim(socket.gethostname(), os.getpid(), birth(os.getpid()), time.time(), job)))
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_BEAT):
            try:
                os.utime(file)
            except OSError:
                return

    thread = threading.Thread(target=beat, name="claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        file.unlink(missing_ok=True)
