"""The local cache of converted models: `<root>/models/<id>[-variant]/<digest>`, one folder for each checkpoint file.

Beside each folder stands `<digest>.json`, written last: without it, or with weights of another size, the folder does
not count. No torch here.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock

from hf_ecg_bench import __version__
from hf_ecg_bench.errors import CheckpointError, EcgBenchError
from hf_ecg_bench.files import write_json
from hf_ecg_bench.models.spec import ModelSpec

WEIGHTS = "model.safetensors"
# Raised when folders converted by earlier versions cannot be loaded any more: they are then converted again.
_LAYOUT = 2
_DIGITS = 16


@dataclass(frozen=True)
class Entry:
    """A converted model in the cache.

    Attributes:
        folder: what the Auto classes load.
        model: `<id>` or `<id>-<variant>`.
        checkpoint: name of the file it was converted from.
        sha256: of that file.
        origin: where that file came from, in words.
        converted: when.
        report: the conversion's report, as JSON values.
        description: the same in words.
    """

    folder: Path
    model: str
    checkpoint: str
    sha256: str
    origin: str
    converted: str
    report: dict[str, Any]
    description: str


def cache_root() -> Path:
    """`HF_ECG_BENCH_CACHE`, else `hf_ecg_bench` in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`)."""
    chosen = os.environ.get("HF_ECG_BENCH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "hf_ecg_bench"


def downloads_folder(model_id: str) -> Path:
    """Where a model's checkpoint is kept until it is converted."""
    return cache_root() / "downloads" / model_id


def entries(name: str) -> list[Entry]:
    """The complete conversions of `<id>` or `<id>-<variant>`, the newest first."""
    found = [_read(note) for note in _home(name).glob("*.json")]
    return sorted((entry for entry in found if entry), key=lambda entry: entry.converted, reverse=True)


def variants(model_id: str) -> list[str]:
    """Names `<id>-<variant>` of which there are conversions."""
    homes = (cache_root() / "models").glob(f"{model_id}-*")
    return sorted(home.name for home in homes if entries(home.name))


def choose(spec: ModelSpec, name: str) -> Entry | None:
    """The conversion that a name means: of the file that the authors' page is known to offer, or the only one.

    Raises:
        CheckpointError: there are several, and none is that of the known file.
    """
    found = entries(name)
    if (known := spec.source) and len(found) > 1:
        by_digest = [entry for entry in found if entry.sha256 == known.sha256]
        name_of_file = PurePosixPath(known.member or known.file).name  # of a member, a pattern
        by_name = [entry for entry in found if fnmatchcase(entry.checkpoint, name_of_file)]
        for matching in (by_digest, by_name):
            if len(matching) == 1:
                return matching[0]
    if len(found) > 1:
        listed = "; ".join(f"{e.folder} (from {e.checkpoint}, {e.converted[:10]})" for e in found)
        raise CheckpointError(
            f"{name}: {len(found)} different conversions in the cache: {listed}",
            fix="pass the folder of the one that is meant, or delete the others",
        )
    return found[0] if found else None


def find(model_id: str, sha256: str) -> Entry | None:
    """The conversion of a checkpoint file with this digest, of whatever variant it is."""
    for name in (model_id, *variants(model_id)):
        for entry in entries(name):
            if entry.sha256 == sha256:
                return entry
    return None


def place(name: str, sha256: str) -> Path:
    """The folder for the conversion of a file."""
    return _home(name) / sha256[:_DIGITS]


def complete(folder: Path, name: str, origin: str, report: dict[str, Any], description: str) -> Entry:
    """Declare a converted folder complete, and return its entry."""
    entry = Entry(
        folder, name, report["checkpoint"], report["sha256"], origin,
        datetime.now(UTC).isoformat(timespec="seconds"), report, description,
    )  # fmt: skip
    note = {**asdict(entry), "layout": _LAYOUT, "package": __version__, "size": (folder / WEIGHTS).stat().st_size}
    note.pop("folder")
    write_json(_note(folder), note)
    return entry


@contextmanager
def converting(model_id: str) -> Iterator[None]:
    """One process at a time converts a model; what a killed one left unfinished is swept away first."""
    root = cache_root() / "models"
    lock = FileLock(root / f".{model_id}.lock")
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise EcgBenchError(
            f"the cache of converted models cannot be written: {error}",
            fix="set HF_ECG_BENCH_CACHE to a folder that can be written",
        ) from error
    try:
        for home in (root / model_id, *root.glob(f"{model_id}-*")):
            for rest in home.glob(".*.part"):
                shutil.rmtree(rest, ignore_errors=True)
        yield
    finally:
        lock.release()


def say_once(key: str, text: str) -> bool:
    """Whether this text has not been said for this key; remembered in the cache, where it can be written."""
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in key)[:150]
    note = cache_root() / "notices" / f"{safe}.txt"
    try:
        if note.is_file() and note.read_text(encoding="utf-8") == text:
            return False
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(text, encoding="utf-8")
    except OSError:
        pass  # then it is said again the next time
    return True


def _home(name: str) -> Path:
    return cache_root() / "models" / name


def _note(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _read(note: Path) -> Entry | None:
    folder = note.with_suffix("")
    try:
        values = json.loads(note.read_text(encoding="utf-8"))
        whole = values.pop("layout") == _LAYOUT and values.pop("size") == (folder / WEIGHTS).stat().st_size
        values.pop("package")
        return Entry(folder=folder, **values) if whole else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
