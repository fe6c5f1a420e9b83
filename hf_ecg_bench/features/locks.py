"""Locks of the feature store, which the kernel lets go when their process dies.

Two kinds. `Use` is held, shared, by everybody who has a store open; whoever wants to delete the store needs it alone.
`BlockLocks` are byte ranges of one file, one byte for each block that somebody computes. Locks only save work: blocks
are written atomically and are the same whoever writes them.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self


def lock_path(folder: Path) -> Path:
    """The file whose lock says that a store is in use: beside it, because the store itself may be deleted."""
    return folder.with_name(f".{folder.name}.lock")


class Use:
    """That a store is in use, from creation until `close` or the object's end.

    Args:
        path: the lock file, beside the store.
        alone: wait for nobody else but fail.

    Raises:
        BlockingIOError: `alone`, and somebody uses the store; or somebody deletes it just now.
    """

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            self._file = _open(path)
            fcntl.flock(self._file, (fcntl.LOCK_EX | fcntl.LOCK_NB) if alone else fcntl.LOCK_SH)
            if _is_at(self._file, path):  # else the lock file was deleted with its store, and this one is nobody's
                return
            os.close(self._file)

    def close(self) -> None:
        """Let go; harmless when repeated."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class BlockLocks:
    """Who computes which block. Locks belong to the process: a second object for the same file frees the first's."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)

    def take(self, block: int) -> bool:
        """Try to become the one who computes this block."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, block)
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return False
        return True

    def free(self, block: int) -> None:
        """Let others have it."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._file)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return os.open(path, os.O_RDONLY)  # a cache that is only read can be used, too


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
