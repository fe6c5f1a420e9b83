"""The process that starts cells: it has imported what takes seconds, and forks a child for each cell.

`python -m hf_ecg_bench.grid.launcher` reads a JSON object per line, `{"order": {...}, "environment": {...}}`, and
starts a cell for each. It answers `{"ready": ...}`, `{"started": pid}` for each order, in turn, and `{"ended": pid,
"code": ...}` (minus the signal's number). When its input ends, which the kernel sees to when the grid is killed, it
ends its children; when it is killed itself, the kernel kills them.

It computes nothing: a child inherits no thread, no lock and no device. Where imports have started a thread all the
same, each child starts afresh (`exec`) instead: slower, and safe.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from hf_ecg_bench.grid.process import compute_and_leave, die_with

_PRELOADED = (
    "hf_ecg_bench.training.experiment",
    "hf_ecg_bench.models.auto",
    "hf_ecg_bench.cli.main",
    "transformers.trainer",
    "torch._dynamo",
    "torch.utils.flop_counter",
    "peft",
    "datasets",
)
# The memory allocator of pyarrow gives pages back in the background; it knows about forks itself (pthread_atfork).
_HARMLESS = ("jemalloc_bg_thd",)
_POLL = 0.02  # seconds
_GRACE = 30.0  # seconds to write a checkpoint in
COLD = "--cold"


def serve(warm: bool) -> None:
    """Start what the input asks for until it ends, then end the children."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for number in (signal.SIGINT, signal.SIGTERM):  # the grid says when to end, by closing the input
        signal.signal(number, signal.SIG_IGN)
    warm = warm and _preload()

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    answer(ready=True, warm=warm, pid=os.getpid())
    children: set[int] = set()
    buffer = b""
    try:
        while True:
            readable, _, _ = select.select([0], [], [], _POLL)
            if readable:
                chunk = os.read(0, 2**16)
                if not chunk:
                    break
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    command = json.loads(line)
                    children.add(pid := _start(command, warm))
                    answer(started=pid)
            for pid, code in _ended(children):
                answer(ended=pid, code=code)
    except BrokenPipeError:
        pass  # nobody listens any more
    _end(children)


def _preload() -> bool:
    """Import what cells need; whether a child may be forked from this process afterwards."""
    for name in _PRELOADED:
        importlib.import_module(name)
    import torch

    gc.collect()
    gc.freeze()  # collections in children need not look at what is imported, which would copy it
    return not foreign_threads() and not torch.cuda.is_initialized()


def foreign_threads(tasks: Path = Path("/proc/self/task")) -> list[str]:
    """Names of this process's threads that a forked child would miss; where the system does not tell, `unknown`."""
    try:
        names = {int(path.name): (path / "comm").read_text(encoding="utf-8").strip() for path in tasks.iterdir()}
    except OSError:
        return ["unknown"]
    return sorted(name for number, name in names.items() if number != os.getpid() and name not in _HARMLESS)


def _start(command: dict[str, Any], warm: bool) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)  # Ctrl-C in the terminal is for the grid, which ends its cells in order
        die_with(parent)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        os.environ.update(command["environment"])
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        if not warm:
            order = json.dumps(command["order"])
            safe = ["-P"] if sys.flags.safe_path else []
            os.execv(sys.executable, [sys.executable, *safe, "-m", "hf_ecg_bench.grid.launcher", "--cell", order])
        code = compute_and_leave(command["order"])
    except BaseException:  # nothing may go up into the loop of the parent, of which this is a copy
        traceback.print_exc()
    sys.exit(code)


def _ended(children: set[int]) -> list[tuple[int, int]]:
    """The children that have ended, with their exit codes; they are taken off the set."""
    found = []
    for pid in list(children):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            children.discard(pid)
            found.append((pid, os.waitstatus_to_exitcode(status)))
    return found


def _end(children: set[int]) -> None:
    """Ask the children to end, with a checkpoint; then kill them."""
    _send(children, signal.SIGTERM)
    end = time.monotonic() + _GRACE
    while children and time.monotonic() < end:
        _ended(children)
        time.sleep(_POLL)
    _send(children, signal.SIGKILL)


def _send(pids: set[int], number: int) -> None:
    for pid in pids:
        os.kill(pid, number)  # ours and not waited for yet: the number cannot be another process's


def main() -> int:
    """Serve, or compute one cell."""
    if len(sys.argv) == 3 and sys.argv[1] == "--cell":
        return compute_and_leave(json.loads(sys.argv[2]))
    serve(COLD not in sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
