"""A process that has imported what takes seconds, and forks children that then start in milliseconds.

`python -m tests.support.zygote` reads one JSON object per line: `{"call": "module:function", "arguments": [...],
"environment": {...}, "log": path}` forks a child and answers its process id, `{"wait": pid}` answers its exit code.
The zygote itself computes nothing, so that it has no threads whose locks a child could inherit.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PRELOADED = (
    "hf_ecg_bench.training.experiment",
    "hf_ecg_bench.training.searching.search",
    "hf_ecg_bench.cli.main",
    "hf_ecg_bench.models.s4.modeling_s4",
    "transformers.trainer",
    "torch._dynamo",
    "torch.distributed",
    "peft",
    "scipy.io",
    "datasets",
)
_PATIENCE = 120.0  # seconds


@dataclass
class Child:
    """A forked process."""

    zygote: Zygote
    pid: int
    log: Path

    def signal(self, number: int) -> None:
        """Send a signal; it may have ended already, but it still is ours: nobody has waited for it."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, minus the signal's number where one killed it."""
        return int(self.zygote.ask({"wait": self.pid}))

    def said(self) -> str:
        """Everything it printed."""
        return self.log.read_text(encoding="utf-8")


class Zygote:
    """The zygote as seen from the process that started it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number = folder, 0
        folder.mkdir(parents=True, exist_ok=True)
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = {
            **os.environ, **threads,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "HF_ECG_BENCH_NO_PROGRESS": "1", "HF_HUB_OFFLINE": "1", "ACCELERATE_USE_CPU": "true",
            "TORCH_CPP_LOG_LEVEL": "ERROR",  # as the command line sets it for launches, before it imports torch
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.zygote"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, command: dict[str, Any]) -> Any:
        """Send a command; returns the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def start(self, call: str, *arguments: Any, **environment: str) -> Child:
        """Fork a child that calls `module:function` with JSON arguments; its return value is its exit code."""
        self.number += 1
        log = self.folder / f"{self.number:04}.log"
        pid = self.ask({"call": call, "arguments": arguments, "environment": environment, "log": str(log)})
        return Child(self, pid, log)

    def launch(self, call: str, *arguments: Any, processes: int = 2, **environment: str) -> list[Child]:
        """Start the processes of a launch, as torchrun does."""
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = str(found.getsockname()[1])
        shared = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, **environment}
        return [
            self.start(call, *arguments, **shared, RANK=str(rank), LOCAL_RANK=str(rank)) for rank in range(processes)
        ]

    def close(self) -> None:
        """End the zygote."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)


def _fork(command: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        handle = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(handle, number)
        os.environ.update(command["environment"])
        module, function = command["call"].split(":")
        code = int(getattr(importlib.import_module(module), function)(*command["arguments"]) or 0)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    sys.exit(code)  # as any process ends: threads are waited for


def _wait(pid: int) -> int:
    """The child's exit code; one that hangs is killed."""
    end = time.monotonic() + _PATIENCE
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGABRT)
            end = float("inf")
        time.sleep(0.003)


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _PRELOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.freeze()  # collections in children need not look at what is imported
    for line in sys.stdin:
        command = json.loads(line)
        answer = _wait(command["wait"]) if "wait" in command else _fork(command)
        answers.write(f"{answer}\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
