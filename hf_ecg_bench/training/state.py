"""A run's folder before the run is finished: whose it is, and that only one process works on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.files import dumps_json, explain_os_errors, write_json
from hf_ecg_bench.training.checkpoints import last_complete_checkpoint

RUN_FILE = "run.json"
CHECKPOINTS = "checkpoints"


def claim(folder: Path, identity: dict[str, Any]) -> bool:
    """Compare the folder's run with this one, and write its identity there if it is new.

    Returns:
        Whether the run is new.

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
        return False
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainingError(f"{folder} is not empty and holds no run", fix="choose another --output-dir")
    write_json(written, mine)
    return True


def release(folder: Path) -> None:
    """Undo a claim after which nothing worth keeping was computed, so that a failed start leaves no trace."""
    if last_complete_checkpoint(folder / CHECKPOINTS) is not None:
        return
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    (folder / RUN_FILE).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep a second start of the same run out while the first one works.

    Raises:
        TrainingError: another process works there.
    """
    with explain_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.parent / f".{folder.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise TrainingError(
                f"another process is working on {folder}", fix="wait for it, or choose another --output-dir"
            ) from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _differences(theirs: Any, mine: Any, path: str = "") -> list[str]:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        found = []
        for key in sorted(theirs.keys() | mine.keys()):
            found += _differences(theirs.get(key), mine.get(key), f"{path}.{key}" if path else key)
        return found
    return [] if theirs == mine else [f"{path} is {theirs!r} there and {mine!r} here"]
