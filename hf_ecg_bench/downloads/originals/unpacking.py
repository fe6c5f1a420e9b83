"""Unpacking into the raw folder: all of an archive or nothing, and never over somebody's other file."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from hf_ecg_bench.data.origins import Origin, Unpack
from hf_ecg_bench.downloads import CannotWrite
from hf_ecg_bench.downloads.originals.archives import Member, explain_damage, members, unpacked_size
from hf_ecg_bench.downloads.originals.files import RemoteFile, matches
from hf_ecg_bench.downloads.originals.state import State
from hf_ecg_bench.errors import DownloadError
from hf_ecg_bench.files import explain_os_errors, inside
from hf_ecg_bench.progress import progress

_TEMPORARY = "unpacking_"


@dataclass(frozen=True)
class Packed:
    """An archive and how it is unpacked.

    Attributes:
        archive: what is opened.
        parts: the other files that belong to it.
        rule: as declared.
    """

    archive: RemoteFile
    parts: tuple[RemoteFile, ...]
    rule: Unpack

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """All that has to be fetched."""
        return (*self.parts, self.archive)

    @property
    def identity(self) -> str:
        """What tells this content and way of unpacking from others."""
        return " ".join([*(file.identity for file in self.files), repr(self.rule)])


def packed_files(origins: Sequence[Origin], files: Sequence[RemoteFile]) -> list[Packed]:
    """The archives among published files.

    Raises:
        DownloadError: a rule without an archive, which is a mistake in the declaration or a change at the host.
    """
    found = []
    for rule in origins:
        if not isinstance(rule, Unpack):
            continue
        archives = [file for file in files if fnmatchcase(file.path, rule.archive)]
        if not archives:
            raise DownloadError(
                f"no archive {rule.archive!r} is among the {len(files)} published files",
                fix="look at the dataset's page in a browser; if it has changed, please report it",
            )
        for archive in archives:
            stem = archive.path.removesuffix(".zip")
            part = re.compile(re.escape(stem) + r"\.z\d\d+")
            parts = [file for file in files if stem != archive.path and part.fullmatch(file.path)]
            found.append(Packed(archive, tuple(parts), rule))
    return found


def unpack(packed: Packed, state: State, *, replace: bool) -> int:
    """Unpack one archive that is in the raw folder, and remember it; returns the number of files.

    It is unpacked into a temporary folder first. Files that are at their place already have to be the same.

    Args:
        replace: put new files in place of others that differ.

    Raises:
        DownloadError: the archive is damaged, not to be trusted, not as declared; or a file that is there differs.
        CannotWrite: no space.
    """
    clean_up(state)
    rule = packed.rule
    source = inside(state.raw_dir, packed.archive.path)
    target = PurePosixPath(rule.into) if rule.into else PurePosixPath(packed.archive.path).parent
    folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=state.folder))
    try:
        with explain_os_errors(folder / "files"):
            _check_space(source, folder, unpacked_size(source))
            paths = _extract(source, rule, folder)
            files = [(str(target / path), (folder / path).stat().st_size) for path in paths]
            for path, (place, _) in zip(paths, files, strict=True):
                _move(folder / path, inside(state.raw_dir, place), source, replace)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    state.add_unpacked(packed.archive.path, packed.identity, files)
    return len(files)


def clean_up(state: State) -> None:
    """Remove what an unpacking that was killed has left."""
    for folder in state.folder.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _extract(source: Path, rule: Unpack, folder: Path) -> list[str]:
    strip = rule.strip.strip("/") + "/" if rule.strip else ""
    paths: list[str] = []
    others: list[str] = []
    with explain_damage(source), progress(desc=f"unpack {source.name}", unit="B", unit_scale=True) as bar:
        for member in members(source):
            path = member.path.removeprefix(strip)
            if not matches(path, rule.members):
                others.append(member.path)
                continue
            _write(member, folder / path)
            bar.update(member.size)
            paths.append(path)
    for pattern in rule.members:
        if not any(fnmatchcase(path, pattern) for path in paths):
            raise DownloadError(
                f"{source} holds no {pattern}; it holds {', '.join([*paths, *others][:5]) or 'nothing'}",
                fix="look at the dataset's page in a browser; if it has changed, please report it",
            )
    return paths


def _write(member: Member, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_space(path, path.parent, member.size)
    with open(path, "xb") as file:
        shutil.copyfileobj(member.content, file, 1 << 20)
    if path.stat().st_size != member.size:
        raise EOFError(f"{member.path} ends early")


def _move(file: Path, place: Path, source: Path, replace: bool) -> None:
    if place.exists():
        if place.is_file() and filecmp.cmp(file, place, shallow=False):
            return
        if not replace:
            raise DownloadError(
                f"{place} is there and differs from the file in {source.name}",
                fix="move it away, or replace what differs: --verify-download",
            )
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(file, place)


def _check_space(what: Path, folder: Path, size: int | None) -> None:
    free = shutil.disk_usage(folder).free
    if size is not None and size > free:
        raise CannotWrite(
            f"{what}: unpacking needs {size / 1e9:,.1f} GB, the disk has room for {free / 1e9:,.1f} GB",
            fix=f"free some space (df -h {folder.parent}), then start the same command again: it goes on",
        )
