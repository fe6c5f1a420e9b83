"""The launcher as the grid sees it: give it cells, hear how they end."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.grid.launcher import COLD

_LEAVING = 40.0  # seconds for the children to write a checkpoint, and a little more


class LauncherGoneError(EcgBenchError):
    """The process that starts cells has ended by itself."""


@dataclass(frozen=True)
class Ended:
    """A cell's process that has ended. `code`: minus the signal's number where one killed it."""

    pid: int
    code: int


class Launcher:
    """Starts cells in processes that end with this one.

    Args:
        environment: variables for all of them.
        warm: fork them from a process that has imported everything, else start each afresh.
    """

    def __init__(self, environment: dict[str, str], *, warm: bool = True) -> None:
        # As for this process, files of the current folder are no modules (`h2.py` there would be taken for a package).
        safe = [] if sys.path[:1] in ([""], [os.getcwd()]) else ["-P"]
        words = [sys.executable, *safe, "-m", "hf_ecg_bench.grid.launcher", *([] if warm else [COLD])]
        self._process = subprocess.Popen(
            words, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._buffer = b""
        self._ended: list[Ended] = []
        self.warm = bool(self._answer("ready")["warm"])

    def start(self, order: dict[str, Any], environment: dict[str, str]) -> int:
        """Start a cell; returns its process id.

        Raises:
            LauncherGoneError: with all its cells.
        """
        self._tell({"order": order, "environment": environment})
        return int(self._answer("started")["started"])

    def wait(self, seconds: float) -> list[Ended]:
        """Cells that have ended, at the latest after so many seconds.

        Raises:
            LauncherGoneError: with all its cells.
        """
        end = time.monotonic() + seconds
        while not self._ended:
            line = self._line(max(0.0, end - time.monotonic()))
            if line is None:
                break
            self._note(line)
        found, self._ended = self._ended, []
        return found

    def close(self) -> None:
        """End the cells that still run, with a checkpoint, and the launcher."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=_LEAVING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _tell(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._gone() from error

    def _answer(self, kind: str) -> dict[str, Any]:
        while True:
            line = self._line(None)
            assert line is not None
            if kind in line:
                return line
            self._note(line)

    def _note(self, line: dict[str, Any]) -> None:
        if "ended" in line:
            self._ended.append(Ended(line["ended"], line["code"]))

    def _line(self, seconds: float | None) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        end = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = None if end is None else max(0.0, end - time.monotonic())
            readable, _, _ = select.select([self._process.stdout], [], [], left)
            if not readable:
                return None
            chunk = os.read(self._process.stdout.fileno(), 2**16)
            if not chunk:
                raise self._gone()
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        value: dict[str, Any] = json.loads(line)
        return value

    def _gone(self) -> LauncherGoneError:
        code = self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return LauncherGoneError(
            f"the process that starts the cells {how}", fix="start the same command again: it goes on"
        )
