"""The log of a cell: its end, and the epochs that it names."""

from __future__ import annotations

import re
from pathlib import Path

_TAIL = 2**18  # bytes
_START = re.compile(r"^--- ", re.MULTILINE)
_EPOCH = re.compile(r"^epoch (\d+)/(\d+): ", re.MULTILINE)


def read_end(log: Path) -> str:
    """The last 256 kB of a log; empty where there is none that can be read."""
    try:
        with open(log, "rb") as handle:
            handle.seek(max(0, log.stat().st_size - _TAIL))
            return handle.read().decode("utf-8", "replace")
    except OSError:
        return ""


def epochs_of(text: str) -> list[tuple[int, int]]:
    """(finished, of how many) of each finished epoch that a log names, in its order, over all starts."""
    return [(int(epoch), int(of)) for epoch, of in _EPOCH.findall(text)]


def since_last_start(text: str) -> str:
    """What a cell's process has printed since it was started last."""
    starts = list(_START.finditer(text))
    return text[starts[-1].end() :] if starts else text
