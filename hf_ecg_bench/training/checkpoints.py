"""Finding the checkpoint a killed run goes on from."""

from __future__ import annotations

import json
import re
from pathlib import Path

_NAME = re.compile(r"checkpoint-(\d+)$")


def last_complete_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end, or None.

    The Trainer writes `trainer_state.json` last: a folder without a readable one was cut off.
    """
    found = []
    for path in folder.glob("checkpoint-*"):
        match = _NAME.search(path.name)
        if match and _readable(path / "trainer_state.json") and (path / "optimizer.pt").exists():
            found.append((int(match.group(1)), path))
    return max(found)[1] if found else None


def _readable(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False
