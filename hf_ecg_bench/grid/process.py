"""A cell in a process of its own: run it, and write down how it ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.grid.claims import claimed
from hf_ecg_bench.grid.command import command_of
from hf_ecg_bench.grid.failures import failure_of, write_failure
from hf_ecg_bench.grid.folder import FAILURE, LOG, cell_folder
from hf_ecg_bench.grid.payload import from_json
from hf_ecg_bench.saying import to_stderr

DONE, FAULT, MISTAKE = 0, 1, 2
_PR_SET_PDEATHSIG = 1
_LOOK = 1.0  # seconds


def compute(order: dict[str, Any], job: str = "") -> int:
    """Run a cell in this process; an error is written down, a signal goes through.

    Args:
        order: {grid, cell, run: JSON values of the RunSpec, identity: under which a failure is noted, command}.
        job: of SLURM.

    Returns:
        0, or 2 for a user's mistake, 1 for a fault.
    """
    folder = cell_folder(Path(order["grid"]), order["cell"])
    with claimed(folder, job):
        try:
            spec = from_json(order["run"])
            from hf_ecg_bench.training.run import run

            run(spec, to_stderr, command=order["command"])
        except Exception as error:  # whatever it is, it is this cell's, and the others go on
            command = command_of(from_json(order["run"]))
            failure = failure_of(error, command, order["identity"])
            write_failure(folder, failure)
            print("\n".join(failure.traceback), file=sys.stderr, flush=True)
            return MISTAKE if isinstance(error, EcgBenchError) else FAULT
        (folder / FAILURE).unlink(missing_ok=True)
    return DONE


def compute_and_leave(order: dict[str, Any]) -> int:
    """`compute` with the log as output and signals that end it with a checkpoint; returns the exit code."""
    from hf_ecg_bench.stopping import Stopped, stops_cleanly

    write_to_log(cell_folder(Path(order["grid"]), order["cell"]) / LOG)
    try:
        with stops_cleanly():
            return compute(order)
    except Stopped:
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def write_to_log(log: Path) -> None:
    """From now on everything that this process prints goes to the end of a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    for number in (1, 2):
        os.dup2(handle, number)
    os.close(handle)
    print(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')}, process {os.getpid()}", file=sys.stderr, flush=True)


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends; without Linux, look every second.

    A cell whose grid is gone would go on unseen, and be in the way of the next start.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before that
            os.kill(os.getpid(), signal.SIGKILL)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent", daemon=True).start()
