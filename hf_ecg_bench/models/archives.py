"""Checkpoints that their authors publish inside a zip archive."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from hf_ecg_bench.errors import CheckpointError, some
from hf_ecg_bench.files import atomic_path

SUFFIXES = (".bin", ".ckpt", ".pt", ".pth", ".safetensors")


def is_archive(file: Path) -> bool:
    """Whether this is a zip file other than those that torch writes (which have a data.pkl)."""
    if not zipfile.is_zipfile(file):
        return False
    with _opened(file) as archive:
        return not any(re.fullmatch(r"([^/]+/)?(data\.pkl|constants\.pkl)", name) for name in archive.namelist())


@contextmanager
def unpacked(path: str | Path, member: str | None = None) -> Iterator[Path]:
    """The checkpoint file: `path` itself or, where that is a zip archive, the one checkpoint in it.

    Unpacked into a temporary folder that is gone afterwards, under the last part of its name alone.

    Args:
        member: its name or path, or a pattern of either; None: the only file that has a checkpoint's suffix.

    Raises:
        CheckpointError: absent, or the archive is damaged or encrypted, or holds no such file, or several.
    """
    file = Path(path)
    if not file.is_file():
        raise CheckpointError(
            f"checkpoint {file} {'is a folder, expected a file' if file.is_dir() else 'does not exist'}"
        )
    if not is_archive(file):
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="hf_ecg_bench_") as folder:
        yield extract(file, member, Path(folder))


def extract(file: Path, member: str | None, folder: Path) -> Path:
    """Unpack the one checkpoint of a zip archive into `folder`, its checksum verified; returns the new file.

    A file of its name and size that is there already is taken for it.

    Args and errors as for `unpacked`.
    """
    with _opened(file) as archive:
        info = _member(archive, file, member)
        target = folder / PurePosixPath(info.filename).name
        if target.is_file() and target.stat().st_size == info.file_size:
            return target
        if info.file_size > (free := shutil.disk_usage(folder).free):
            raise CheckpointError(
                f"{info.filename} in {file} has {info.file_size / 1e6:,.0f} MB, {folder} has room for "
                f"{free / 1e6:,.0f} MB",
                fix=f"free some space (df -h {folder}), or set TMPDIR and HF_ECG_BENCH_CACHE to a larger disk",
            )
        try:
            with atomic_path(target) as temporary, archive.open(info) as packed, open(temporary, "wb") as unpacked_file:
                shutil.copyfileobj(packed, unpacked_file, 1 << 20)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise CheckpointError(
                f"{info.filename} in {file} cannot be unpacked: {error}", fix=f"rm {file}, and download it again"
            ) from error
    return target


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise CheckpointError(
            f"{file} is damaged or cut off: {error}", fix=f"rm {file}, and download it again"
        ) from error
    with archive:
        yield archive


def _member(archive: zipfile.ZipFile, file: Path, pattern: str | None) -> zipfile.ZipInfo:
    files = [info for info in archive.infolist() if not info.is_dir() and not _leftover(info.filename)]
    names = [(info, PurePosixPath(info.filename).name) for info in files]
    if pattern is None:
        found = [info for info, name in names if name.lower().endswith(SUFFIXES)]
    else:
        found = [info for info, name in names if any(fnmatchcase(text, pattern) for text in (name, info.filename))]
    if len(found) != 1:
        wanted = pattern or " or ".join(f"*{suffix}" for suffix in SUFFIXES)
        what = "several files" if found else "no file"
        raise CheckpointError(
            f"{file} is an archive with {what} {wanted}, expected one; it holds "
            f"{some([info.filename for info in found or files], 8) or 'nothing'}",
            fix="unpack it and pass the checkpoint file itself",
        )
    return found[0]


def _leftover(name: str) -> bool:
    """What macOS puts beside each file."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith("._")
