"""A run's folder before the run is finished: whose it is, and that only one process works on it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hf_ecg_bench import __version__
from hf_ecg_bench.errors import TrainingError, some
from hf_ecg_bench.files import dumps_json, explain_os_errors, write_json
from hf_ecg_bench.results.schema import RESULT_FILE
from hf_ecg_bench.training.surviving.checkpoints import MANIFEST

RUN_FILE = "run.json"
CHECKPOINTS = "checkpoints"
#: In a checkpoint folder: a finished trial of a search.
TRIAL_FILE = "trial.json"
_STARTED_BY = "started_by"
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Claim:
    """A folder that is this run's.

    Attributes:
        new: whether this is the first start.
        notes: what the user should know about an earlier one.
    """

    new: bool
    notes: tuple[str, ...] = ()


def claim(folder: Path, identity: dict[str, Any]) -> Claim:
    """Compare the folder's run with this one, and write its identity there if it is new.

    Raises:
        TrainingError: the folder holds another run, or files that are no run.
    """
    written = folder / RUN_FILE
    mine = json.loads(dumps_json(identity))
    here = _versions()
    if written.exists():
        theirs = _read(written)
        there = theirs.pop(_STARTED_BY, {})
        differing = _differences(theirs, mine)
        if theirs.get("model") != mine.get("model"):  # that its weights have another digest goes without saying
            differing = [line for line in differing if not line.startswith("inputs.model ")] or differing
        if differing:
            raise TrainingError(
                f"{folder} holds another run: {some(differing, 4)}{_earlier(there, here)}",
                fix="choose another --output-dir",
            )
        return Claim(False, _notes(there, here))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainingError(f"{folder} is not empty and holds no run", fix="choose another --output-dir")
    write_json(written, mine | {_STARTED_BY: here})
    return Claim(True)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files of killed starts, in a folder that `only_one` keeps for this process."""
    names = ".*.part" if (folder / RUN_FILE).exists() else f".{RUN_FILE}.*.part"
    for path in folder.glob(names):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if (folder / RESULT_FILE).exists():
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def release(folder: Path) -> None:
    """Undo a claim after which nothing worth keeping was computed, so that a failed start leaves no trace."""
    if any(path.name in (MANIFEST, TRIAL_FILE) for path in (folder / CHECKPOINTS).rglob("*.json")):
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


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TrainingError(f"{path} is not JSON: {error}", fix="choose another --output-dir") from error
    if not isinstance(value, dict):
        raise TrainingError(f"{path} does not describe a run", fix="choose another --output-dir")
    return value


def _versions() -> dict[str, str]:
    return {"hf-ecg-bench": __version__, "torch": metadata.version("torch")}


def _earlier(there: dict[str, str], here: dict[str, str]) -> str:
    version = there.get("hf-ecg-bench", "an earlier one")
    return "" if there == here else f" (started by version {version} of hf-ecg-bench; this is {here['hf-ecg-bench']})"


def _notes(there: dict[str, str], here: dict[str, str]) -> tuple[str, ...]:
    changed = [f"{name} {there[name]} to {here[name]}" for name in here if name in there and there[name] != here[name]]
    if not changed:
        return ()
    return (f"going on after a change of {', '.join(changed)}: the numbers may differ in their last digits",)


def _differences(theirs: Any, mine: Any, path: str = "") -> list[str]:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        found = []
        for key in sorted(theirs.keys() | mine.keys()):
            found += _differences(theirs.get(key), mine.get(key), f"{path}.{key}" if path else key)
        return found
    return [] if theirs == mine else [f"{path} is {_show(theirs)} there and {_show(mine)} here"]


def _show(value: Any) -> str:
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return repr(value[:12])
    return "not set" if value is None else repr(value)
