"""Builds the tiny dataset again and again, killed at its atomic writes in turn; prints what came of it.

Run as a program: a process that forks must not have started threads, as the one that runs the tests has.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import scipy.io  # noqa: F401  (every builder of `datasets` imports it: once here, not in each fork)

from hf_ecg_bench.data import shards
from tests.data.tiny import build_tiny
from tests.data.tiny_files import records, signals


def in_child(folder: Path, changed: bool, die_at: int | None) -> bool:
    """Build in another process; returns whether that ended by itself."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            shards.SHARD_RECORDS = 20
            if die_at is not None:
                kill_at(die_at)
            rows, values = records(40), signals(40)
            if changed:
                rows[3] |= {"age": 99.0, "stamp": "new"}
                values[3] += 1
            build_tiny(folder, rows, values)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def kill_at(number: int) -> None:
    """Let this process be killed before (even) or after (odd) its write number `number // 2`."""
    replace, done = os.replace, iter(range(10_000))

    def dying(source: str, target: str) -> None:
        write = next(done)
        if 2 * write == number:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
        if 2 * write + 1 == number:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = dying


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def main(root: Path, step: int) -> None:
    """Kill at every `step`-th moment."""
    expected = {}
    for changed in (False, True):
        assert in_child(root / "whole", changed, None)
        expected[changed] = content(root / "whole")
    differing, kills = [], 0
    for again in (False, True):
        # First an empty folder; then one that holds the dataset of a source that has changed since.
        for number in range(int(again), 10_000, step):
            out = root / f"{again}-{number}"
            if again:
                assert in_child(out, False, None)
            if in_child(out, again, number):
                break
            kills += 1
            assert in_child(out, again, None)
            if content(out) != expected[again]:
                differing.append([again, number])
    print(json.dumps({"kills": kills, "differing": differing, "files": len(expected[True])}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
