"""Lists of files on physionet.org: `SHA256SUMS.txt`, or `RECORDS` where a project has none. Pure; no network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import quote

from hf_ecg_bench.data.origins import PhysioNet
from hf_ecg_bench.downloads.originals.files import RemoteFile, checked_digest, safe_path, select
from hf_ecg_bench.downloads.originals.hosts import PHYSIONET
from hf_ecg_bench.errors import DownloadError

_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *]?(.+)")
_PATTERN = re.compile(r"[*?\[]")


def address(origin: PhysioNet, path: str) -> str:
    """The address of a file of a project."""
    return f"{PHYSIONET}/{origin.project}/{origin.version}/{quote(path)}"


def files_of_sums(origin: PhysioNet, text: str) -> list[RemoteFile]:
    """The included files of `SHA256SUMS.txt` (`<digest> <path>` in each line).

    Raises:
        DownloadError: another line, a path that leaves the folder, or a pattern without a file.
    """
    where = _name(origin, "SHA256SUMS.txt")
    files = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            raise DownloadError(
                f"{where}, line {number}: {line[:80]!r}, expected a SHA-256 checksum and a path", fix="try again later"
            )
        path = safe_path(match[2], where)
        files.append(RemoteFile(address(origin, path), path, checksum=checked_digest("sha256", match[1], where)))
    return _placed(origin, select(files, origin.include, origin.metadata, origin.about, where))


def files_of_records(origin: PhysioNet, records: Iterable[str], lists: Iterable[str] = ()) -> list[RemoteFile]:
    """The included files of a project that has no checksums: those of its records, and those included by name.

    Args:
        records: paths without suffix, see `split_records`.
        lists: paths of the lists that named them.
    """
    where = _name(origin, "RECORDS")
    named = [pattern for pattern in origin.include if not _PATTERN.search(pattern)]
    paths = [safe_path(record + suffix, where) for record in records for suffix in origin.suffixes]
    files = [RemoteFile(address(origin, path), path) for path in dict.fromkeys([*named, *lists, *paths])]
    return _placed(origin, select(files, origin.include, origin.metadata, origin.about, where))


def split_records(text: str) -> list[str]:
    """The entries of a `RECORDS` file: paths of records, or of folders with their own `RECORDS` (ending in `/`).

    That of PTB-XL lacks a line break between its two blocks: where the name of a top folder stands within a line and
    not after a `/`, a new entry begins.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    tops = sorted({line.split("/")[0] for line in lines if "/" in line}, key=len, reverse=True)
    if not tops:
        return lines
    joint = re.compile(rf"(?<=[^/])(?=(?:{'|'.join(map(re.escape, tops))})/)")
    # Only lines of an unusual depth: the name of a folder may also end with the name of another one.
    depth = Counter(line.count("/") for line in lines).most_common(1)[0][0]
    return [part for line in lines for part in (joint.split(line) if line.count("/") > depth else [line])]


def _placed(origin: PhysioNet, files: Sequence[RemoteFile]) -> list[RemoteFile]:
    """Paths below the raw folder: without the leading folder that the origin cuts off."""
    return [replace(file, path=file.path.removeprefix(origin.strip) or file.path) for file in files]


def _name(origin: PhysioNet, file: str) -> str:
    return f"{file} of PhysioNet's {origin.project} {origin.version}"
