"""Reading archives from strangers: regular files one after another, nothing else, and not without end."""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hf_ecg_bench.downloads.originals.files import safe_path
from hf_ecg_bench.downloads.originals.split_zip import open_zip, parts_of
from hf_ecg_bench.errors import DownloadError

# Signals shrink to a half or a tenth of their size; zeros alone to a thousandth.
_MOST_TIMES, _MOST_PLUS = 100, 64 * 2**20
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)


@dataclass(frozen=True)
class Member:
    """A regular file in an archive.

    Attributes:
        path: with `/`, relative, inside of any folder.
        size: bytes, unpacked.
        content: to be read before the next member is asked for.
    """

    path: str
    size: int
    content: IO[bytes]


def members(archive: Path) -> Iterator[Member]:
    """The files of a zip or (compressed) tar archive, in its order.

    Raises:
        DownloadError: damaged or encrypted, a path that leaves the folder, a link or device, one file twice, or
            content that grows beyond a hundred times the archive's size.
    """
    total = 0
    seen = set()
    with explain_damage(archive):
        is_zip = zipfile.is_zipfile(archive)
        parts = [part for part in (parts_of(archive) if is_zip else [archive]) if part.is_file()]
        most = _MOST_TIMES * sum(part.stat().st_size for part in parts) + _MOST_PLUS
        for member in _zip_members(archive) if is_zip else _tar_members(archive):
            total += member.size
            if total > most:
                raise DownloadError(
                    f"{archive} would unpack to more than {most / 1e9:,.1f} GB, a hundred times its size: refused",
                    fix="look into it with care; if it is what its authors published, unpack it yourself",
                )
            if member.path in seen:
                raise DownloadError(
                    f"{archive} holds {member.path!r} twice", fix=f"rm {archive}, and download it again"
                )
            seen.add(member.path)
            yield member


def unpacked_size(archive: Path) -> int | None:
    """Bytes of all files in it where the archive says so at its end (zip); None where it has to be read for that."""
    if not zipfile.is_zipfile(archive):
        return None
    with explain_damage(archive), open_zip(archive) as opened:
        return sum(info.file_size for info in opened.infolist())


@contextmanager
def explain_damage(archive: Path) -> Iterator[None]:
    """Name the archive in what its reader complains of; for use around the reading of members, too."""
    try:
        yield
    except _DAMAGED as error:
        raise DownloadError(f"{archive} is damaged: {error}", fix=f"rm {archive}, and download it again") from error
    except (RuntimeError, NotImplementedError) as error:  # what zipfile says to passwords and unknown compression
        raise DownloadError(f"{archive} cannot be unpacked: {error}", fix=f"unpack it yourself: {archive}") from error


def _zip_members(archive: Path) -> Iterator[Member]:
    with open_zip(archive) as opened:
        for info in opened.infolist():
            if info.is_dir() or _leftover(info.filename):
                continue
            path = safe_path(info.filename, str(archive))
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise _no_file(archive, path)
            with opened.open(info) as content:
                yield Member(path, info.file_size, content)


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive, "r|*") as opened:
        for info in opened:
            if info.isdir() or _leftover(info.name):
                continue
            path = safe_path(info.name, str(archive))
            content = opened.extractfile(info) if info.isreg() else None
            if content is None:
                raise _no_file(archive, path)
            yield Member(path, info.size, content)


def _no_file(archive: Path, path: str) -> DownloadError:
    return DownloadError(
        f"{archive} holds {path!r}, which is a link or a device, expected files only; nothing was unpacked",
        fix="do not use this archive; report it to those who publish it",
    )


def _leftover(name: str) -> bool:
    """What macOS puts beside each file."""
    last = name.rsplit("/", 1)[-1]
    return name.startswith("__MACOSX/") or last.startswith("._") or last == ".DS_Store"
