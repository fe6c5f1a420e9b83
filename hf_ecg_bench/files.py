"""The places where files are written: atomically, below the folder they belong to, with a digest."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError

# It can only be read by setting it, for the whole process: once, before there are threads.
_UMASK = os.umask(0)
os.umask(_UMASK)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path in the same folder that replaces `path` when the block ends without an error.

    A reader sees the old file or the whole new one, never half of it.
    """
    target = Path(path)
    with explain_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        # Named before it is made: a signal in between must not leave a file that nobody knows.
        temporary = target.parent / f".{target.name}.{secrets.token_hex(4)}.part"
        try:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            yield temporary
            # It was made private; give the result the permissions that a plain open() would have.
            temporary.chmod(0o666 & ~_UMASK)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a read-only folder into an error a user can act on."""
    try:
        yield
    except PermissionError as error:
        if error.filename is not None and not Path(os.fsdecode(error.filename)).resolve().is_relative_to(
            path.resolve().parent
        ):
            raise  # something else could not be read, which is not about writing here
        raise EcgBenchError(
            f"cannot write {path}: permission denied", fix=f"choose another --output-dir, or: chmod u+w {path.parent}"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise EcgBenchError(
                f"cannot write {path}: no space left on the device; nothing finished was lost",
                fix=f"free some space (df -h {path.parent}) and start the same command again",
            ) from error
        if error.errno == errno.EROFS:
            raise EcgBenchError(
                f"cannot write {path}: the file system is read-only", fix="choose another --output-dir"
            ) from error
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise EcgBenchError(
                f"cannot write {path}: a file stands where a folder is needed", fix="choose another --output-dir"
            ) from error
        if isinstance(error, FileNotFoundError) and not path.parent.is_dir():
            raise EcgBenchError(
                f"cannot write {path}: its folder {path.parent} does not exist and cannot be made",
                fix="choose another --output-dir",
            ) from error
        raise


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write UTF-8 text atomically; returns the path."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def write_json(path: str | os.PathLike[str], value: Any) -> Path:
    """Write standard JSON atomically (NaN and infinity become null, so that every reader accepts it)."""
    return write_text(path, dumps_json(value) + "\n")


def dumps_json(value: Any, *, indent: int | None = 2) -> str:
    """Standard JSON: numpy scalars become numbers, NaN and infinities null, paths strings."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return _plain(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def size_and_time(stat: os.stat_result) -> str:
    """Text that changes when a file does: its size and the time of its last change."""
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hex SHA-256 of a file's bytes."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def inside(root: str | os.PathLike[str], relative: str) -> Path:
    """`root / relative`, refused where it would leave `root` (absolute names, `..`, links that point outside)."""
    base = Path(root).resolve()
    path = (base / relative).resolve()
    if not path.is_relative_to(base):
        raise EcgBenchError(
            f"{relative!r} points outside of {root}", fix="use the original files, with paths relative to their folder"
        )
    return path
