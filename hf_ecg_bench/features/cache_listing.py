"""What is in the cache, and taking things out of it. No torch here.

Four kinds of entries: `features`, a store of them; `model`, a converted model; `download`, a checkpoint file that
waits for its conversion; `standings`, scores of predictions that `report` and `leaderboard` keep (worked out again
where they are gone). Nothing outside of the cache is ever touched: a link is neither listed nor followed.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from hf_ecg_bench.errors import EcgBenchError, unknown_name
from hf_ecg_bench.features.facts import features_root, last_use, read_facts
from hf_ecg_bench.features.locks import Use, lock_path
from hf_ecg_bench.models.cache import WEIGHTS, cache_root

EntryKind = Literal["features", "model", "download", "standings"]
_SHOWN_DIGITS = 12
_GOING = ".pruned"


@dataclass(frozen=True)
class CacheEntry:
    """Something in the cache.

    Attributes:
        kind: see above.
        name: what `prune` takes.
        model: id of the model, with its variant where it has one; empty where it is of none.
        path: its folder.
        bytes: size of its files.
        last_used: seconds since 1970; of models as far as the file system notes when a file was read.
        about: in words: of features the dataset, split, windows and precision; of models the checkpoint; of scores
            how many.
        complete: whether nothing is missing (a killed run's store is completed by the next).
    """

    kind: EntryKind
    name: str
    model: str
    path: Path
    bytes: int
    last_used: float
    about: str
    complete: bool


def list_cache() -> list[CacheEntry]:
    """All entries, the last used first."""
    found = [*_stores(), *_models(), *_downloads(), *_standings()]
    return sorted(found, key=lambda entry: (-entry.last_used, entry.name))


def select(entries: list[CacheEntry], *, name: str | None = None, older_than_days: float = 0) -> list[CacheEntry]:
    """The entries that both conditions hold for.

    Args:
        name: an entry's, or a model's, of whom all is meant.
        older_than_days: last used longer ago.

    Raises:
        UnknownNameError: no entry of that name.
    """
    if name is not None:
        named = [entry for entry in entries if name and name in (entry.name, entry.model)]
        if not named:
            known = {text for entry in entries for text in (entry.name, entry.model) if text}
            raise unknown_name("entry of the cache", name, known, fix="hf-ecg-bench cache list")
        entries = named
    if older_than_days:
        entries = [entry for entry in entries if time.time() - entry.last_used > older_than_days * 86400]
    return entries


def remove(entry: CacheEntry) -> bool:
    """Delete an entry; False where somebody uses it just now.

    A store goes out of the way under another name first: half of one is never taken for a store.

    Raises:
        EcgBenchError: it is not in the cache, or cannot be deleted.
    """
    root = cache_root().resolve()
    if entry.path.is_symlink() or not entry.path.resolve().is_relative_to(root) or entry.path.resolve() == root:
        raise EcgBenchError(f"{entry.path} is not in the cache {root}: nothing is deleted there")
    try:
        with _alone(entry):
            going = entry.path.with_name(f".{entry.path.name}{_GOING}")
            shutil.rmtree(going, ignore_errors=True)  # what an earlier, killed prune left
            entry.path.rename(going)
            if entry.kind == "model":
                entry.path.with_name(f"{entry.path.name}.json").unlink(missing_ok=True)
            shutil.rmtree(going)
    except (BlockingIOError, Timeout):
        return False
    except OSError as error:
        raise EcgBenchError(f"{entry.path} cannot be deleted: {error}", fix=f"ls -la {entry.path}") from error
    return True


def sweep_leftovers() -> None:
    """Delete what a killed prune left half deleted."""
    for folder in (features_root(), cache_root(), cache_root() / "downloads", *_folders(cache_root() / "models")):
        for rest in folder.glob(f".*{_GOING}"):
            if not rest.is_symlink():
                shutil.rmtree(rest, ignore_errors=True)


@contextmanager
def _alone(entry: CacheEntry) -> Iterator[None]:
    """Nobody else uses the entry meanwhile."""
    if entry.kind == "features":
        lock = lock_path(entry.path)
        with Use(lock, alone=True):
            yield
            lock.unlink(missing_ok=True)
        return
    if entry.kind == "standings":
        # Files there appear as a whole and are read at once: a reader finds one or works it out.
        yield
        return
    models = cache_root() / "models"
    # Of conversions under way: `models.cache.converting` holds the lock of the model's id.
    locks = [path for path in models.glob(".*.lock") if entry.model.startswith(path.name[1:].removesuffix(".lock"))]
    with FileLock(max(locks, key=lambda path: len(path.name)), timeout=0) if locks else nullcontext():
        yield


def _stores() -> Iterator[CacheEntry]:
    for folder in _folders(features_root()):
        facts = read_facts(folder)
        key: dict[str, Any] = facts.get("key", {})
        size = _size(folder)
        there = sum(1 for _ in folder.glob("block-*.npy"))
        words = (
            f"{facts['dataset'] or 'data'} {key['split']}, {facts['records']} records, {facts['windows']} windows, "
            f"{key['kind']} {'x'.join(map(str, facts['shape']))} {key['stored']}, {key['crops']} crops"
            if facts
            else "damaged: no readable store.json"
        )
        blocks = facts.get("blocks", 0)
        if there < blocks:
            words += f" ({there} of {blocks} blocks)"
        yield CacheEntry(
            "features", folder.name[:_SHOWN_DIGITS], key.get("model", "unknown"), folder, size, last_use(folder), words,
            bool(facts) and there >= blocks,
        )  # fmt: skip


def _models() -> Iterator[CacheEntry]:
    for home in _folders(cache_root() / "models"):
        for folder in _folders(home):
            note = _read(folder.with_name(f"{folder.name}.json"))
            weights = folder / WEIGHTS
            stat = (weights if weights.exists() else folder).stat()
            words = f"converted from {note['checkpoint']}, {note['origin']}" if note else "an unfinished conversion"
            yield CacheEntry(
                "model", f"{home.name}/{folder.name}", home.name, folder, _size(folder),
                max(stat.st_mtime, stat.st_atime), words, bool(note),
            )  # fmt: skip


def _downloads() -> Iterator[CacheEntry]:
    for folder in _folders(cache_root() / "downloads"):
        name = f"downloads/{folder.name}"
        words = "a checkpoint before its conversion"
        yield CacheEntry("download", name, folder.name, folder, _size(folder), folder.stat().st_mtime, words, True)


def _standings() -> Iterator[CacheEntry]:
    folder = cache_root() / "standings"
    if folder.is_dir() and not folder.is_symlink():
        files = [path for path in folder.glob("*/*.npz") if not path.is_symlink()]
        last = max((max(stat.st_mtime, stat.st_atime) for stat in map(os.lstat, files)), default=folder.stat().st_mtime)
        words = f"scores of {len(files)} cells of entry and task, on shared resamples"
        yield CacheEntry("standings", "standings", "", folder, _size(folder), last, words, True)


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(
        path for path in parent.iterdir() if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
    )


def _size(folder: Path) -> int:
    return sum(os.lstat(os.path.join(where, name)).st_size for where, _, names in os.walk(folder) for name in names)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
