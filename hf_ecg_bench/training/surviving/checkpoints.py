"""Checkpoints of a training that was ended: which are whole, which to go on from, which to delete."""

from __future__ import annotations

import json
import re
import shutil
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hf_ecg_bench.files import write_json
from hf_ecg_bench.saying import Say, silent

#: Written last into a checkpoint: what belongs to it. The Trainer's own files say nothing about being complete.
MANIFEST = "complete.json"
_STATE = "trainer_state.json"
_NAME = re.compile(r"checkpoint-(\d+)")
_CHUNK = 1 << 24


@dataclass(frozen=True)
class Manifest:
    """What a whole checkpoint consists of.

    Attributes:
        step: optimizer steps that were made.
        best_step: after which the selected epoch so far ended; its checkpoint holds the weights. None: none yet.
        processes: of the launch that wrote it.
        files: (size in bytes, CRC-32) by path below the checkpoint.
    """

    step: int
    best_step: int | None
    processes: int
    files: dict[str, tuple[int, int]]


def seal(checkpoint: Path, best_step: int | None, processes: int) -> None:
    """Write the manifest of a checkpoint whose files are all there."""
    files = {
        str(path.relative_to(checkpoint)): (path.stat().st_size, _crc(path))
        for path in sorted(checkpoint.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    write_json(checkpoint / MANIFEST, asdict(Manifest(step_of(checkpoint), best_step, processes, files)))


def step_of(checkpoint: Path) -> int:
    """The number of optimizer steps in a checkpoint's name."""
    match = _NAME.fullmatch(checkpoint.name)
    assert match is not None, checkpoint
    return int(match.group(1))


def checkpoint_folder(folder: Path, step: int) -> Path:
    """Where the Trainer puts the checkpoint of a step."""
    return folder / f"checkpoint-{step}"


def last_complete_checkpoint(folder: Path, say: Say = silent) -> Path | None:
    """The newest checkpoint from which training can go on and end as if it had never been ended, or None.

    It must be whole, and so must be the checkpoint of the best epoch up to it.

    Args:
        folder: the Trainer's.
        say: told about damaged ones (unfinished ones are what a kill leaves, and not worth a word).
    """
    for checkpoint in sorted(_checkpoints(folder), key=step_of, reverse=True):
        manifest = read_manifest(checkpoint)
        if manifest is None:
            continue
        damage = _damage(checkpoint, manifest)
        best = manifest.best_step
        if damage is None and best is not None and best != manifest.step:
            other = checkpoint_folder(folder, best)
            known = read_manifest(other)
            damage = f"{other.name} is missing" if known is None else _damage(other, known)
        if damage is None:
            return checkpoint
        say(f"{checkpoint} is damaged ({damage}): going on from an earlier one, or from the start")
    return None


def read_manifest(checkpoint: Path) -> Manifest | None:
    """The checkpoint's manifest, or None where it was not finished."""
    try:
        raw: dict[str, Any] = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        files = {name: (int(size), int(crc)) for name, (size, crc) in raw["files"].items()}
        return Manifest(raw["step"], raw["best_step"], raw["processes"], files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remove_leftovers(folder: Path, keep: Path | None) -> None:
    """Delete what ended starts left in the Trainer's folder: checkpoints that are not whole or newer than `keep`.

    Only for the process that owns the run (`state.only_one`).
    """
    for checkpoint in _checkpoints(folder):
        if keep is None or step_of(checkpoint) > step_of(keep) or read_manifest(checkpoint) is None:
            _delete(checkpoint)


def keep_only(folder: Path, steps: set[int]) -> None:
    """Delete the checkpoints of all other steps."""
    for checkpoint in _checkpoints(folder):
        if step_of(checkpoint) not in steps:
            _delete(checkpoint)


def own_best_checkpoint(folder: Path, best_step: int | None) -> str | None:
    """Path of the best epoch's checkpoint as of now: the run's folder may have been moved since it was written."""
    return None if best_step is None else str(checkpoint_folder(folder, best_step))


def _checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name) and path.is_dir()]


def _delete(checkpoint: Path) -> None:
    (checkpoint / MANIFEST).unlink(missing_ok=True)  # first: half a checkpoint must not look whole
    shutil.rmtree(checkpoint)


def _damage(checkpoint: Path, manifest: Manifest) -> str | None:
    for name, (size, crc) in manifest.files.items():
        path = checkpoint / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size:
            return f"{name} has {path.stat().st_size} bytes instead of {size}"
        if _crc(path) != crc:
            return f"{name} has other bytes than were written"
    return None


def _crc(path: Path) -> int:
    value = 0
    with open(path, "rb") as handle:
        while chunk := handle.read(_CHUNK):
            value = zlib.crc32(chunk, value)
    return value
