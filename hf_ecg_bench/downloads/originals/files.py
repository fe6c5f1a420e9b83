"""What there is to fetch: files with their place below the raw folder. Pure; no network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from hf_ecg_bench.errors import DownloadError

STATE_FOLDER = ".ecg_bench_download"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DIGEST = {"sha256": re.compile(r"[0-9a-fA-F]{64}"), "md5": re.compile(r"[0-9a-fA-F]{32}")}


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Attributes:
        url: its official address.
        path: its place below the raw folder, with `/`.
        size: bytes; None where the host does not say.
        checksum: `sha256:...`, `md5:...`, or empty.
        guess: bytes, roughly, where the size is not known; 0 where nothing is.
        metadata: whether `--metadata-only` needs it.
    """

    url: str
    path: str
    size: int | None = None
    checksum: str = ""
    guess: int = 0
    metadata: bool = True

    def digest(self, kind: str) -> str | None:
        """The checksum of one kind, or None."""
        name, _, value = self.checksum.partition(":")
        return value if name == kind else None

    @property
    def identity(self) -> str:
        """What tells this content from another under the same name, as far as the host says."""
        return self.checksum or (f"size:{self.size}" if self.size is not None else self.url)


def safe_path(text: str, where: str) -> str:
    """A relative path from a list or an archive, refused where it could leave its folder or hide in it.

    Args:
        where: what named it, for the message.

    Raises:
        DownloadError: absolute, with `..`, of a Windows drive, or no file name at all.
    """
    path = text.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    drive = bool(parts) and ":" in parts[0]
    odd = _CONTROL.search(path) is not None
    if not parts or path.startswith("/") or ".." in parts or drive or odd or parts[0] == STATE_FOLDER:
        raise DownloadError(
            f"{where} names the file {text!r}, which does not stay below its folder; nothing was fetched or unpacked",
            fix="do not use this source; report it to those who publish it",
        )
    return "/".join(parts)


def checked_digest(kind: str, value: str, where: str) -> str:
    """`kind:value`, or empty for no value.

    Raises:
        DownloadError: a value that is no digest of this kind.
    """
    if not value:
        return ""
    if not _DIGEST[kind].fullmatch(value):
        raise DownloadError(f"{where}: {value[:80]!r} is no {kind} checksum", fix="try again later")
    return f"{kind}:{value.lower()}"


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path fits one of the patterns."""
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def select(
    files: Sequence[RemoteFile],
    include: Sequence[str],
    metadata: Sequence[str] | None,
    about: int | None,
    where: str,
) -> list[RemoteFile]:
    """The files that an origin includes, marked with what metadata needs, sizes guessed where nobody says.

    Raises:
        DownloadError: a pattern that fits no file: the publisher has changed something.
    """
    chosen = [file for file in files if matches(file.path, include)]
    for pattern in [*include, *(metadata or ())]:
        if not any(fnmatchcase(file.path, pattern) for file in chosen):
            raise DownloadError(
                f"{where} lists {len(files)} files, none of which is {pattern!r}",
                fix="look at its page in a browser; if it has changed, please report it",
            )
    unknown = sum(file.size is None for file in chosen)
    rest = (about or 0) - sum(file.size or 0 for file in chosen)
    guess = max(0, rest) // unknown if unknown else 0
    return [
        replace(
            file,
            guess=guess if file.size is None else 0,
            metadata=metadata is None or matches(file.path, metadata),
        )
        for file in chosen
    ]


def without_repeats(files: Sequence[RemoteFile]) -> list[RemoteFile]:
    """The files of all origins together.

    Raises:
        DownloadError: two different files for one place.
    """
    by_path: dict[str, RemoteFile] = {}
    for file in files:
        other = by_path.setdefault(file.path, file)
        if (other.url, other.checksum) != (file.url, file.checksum):
            raise DownloadError(f"{other.url} and {file.url} would both become {file.path}")
    return list(by_path.values())
