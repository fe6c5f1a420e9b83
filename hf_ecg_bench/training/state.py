"""What a run folder says about itself before it is finished: new, to be resumed, done, or another run's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.files import dumps_json, write_json
from hf_ecg_bench.results.schema import RESULT_FILE

RUN_FILE = "run.json"
CHECKPOINTS = "checkpoints"


def claim(folder: Path, identity: dict[str, Any]) -> Literal["new", "started", "done"]:
    """Compare the folder's run with this one, and write its identity there if it is new.

    Raises:
        TrainingError: the folder holds another run, or files that are no run.
    """
    written = folder / RUN_FILE
    mine = json.loads(dumps_json(identity))
    if written.exists():
        try:
            theirs = json.loads(written.read_text(encoding="utf-8"))
        except ValueError as error:
            raise TrainingError(f"{written} is not JSON: {error}", fix="choose another --output-dir") from error
        differing = _differences(theirs, mine)
        if differing:
            raise TrainingError(
                f"{folder} holds another run: " + "; ".join(differing[:4]), fix="choose another --output-dir"
            )
        return "done" if (folder / RESULT_FILE).exists() else "started"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainingError(f"{folder} is not empty and holds no run", fix="choose another --output-dir")
    write_json(written, mine)
    return "new"


def release(folder: Path) -> None:
    """Undo a claim after which nothing was computed, so that a failed start leaves no trace."""
    (folder / RUN_FILE).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _differences(theirs: Any, mine: Any, path: str = "") -> list[str]:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        found = []
        for key in sorted(theirs.keys() | mine.keys()):
            found += _differences(theirs.get(key), mine.get(key), f"{path}.{key}" if path else key)
        return found
    return [] if theirs == mine else [f"{path} is {theirs!r} there and {mine!r} here"]
