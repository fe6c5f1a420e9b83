"""Where a dataset's original files are published: declarations that `prepare --download` follows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PhysioNet:
    """A project on physionet.org; its `SHA256SUMS.txt` lists every file with a checksum.

    Attributes:
        project, version: as in the address (`ptb-xl`, `1.0.3`).
        include: patterns of the paths to fetch, relative to the project (`records500/*`; `*` also matches `/`).
        strip: leading folder that is cut off the paths below the raw folder (`training/georgia/`).
    """

    project: str
    version: str
    include: tuple[str, ...] = ("*",)
    strip: str = ""


@dataclass(frozen=True)
class Zenodo:
    """A record on zenodo.org; its API lists files with MD5 sums."""

    record: str
    include: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class Figshare:
    """An article or a collection of articles on figshare.com; its API lists files with MD5 sums.

    Attributes:
        article: the number of one article, or empty.
        collection: the number of a collection, all of whose articles are asked, or empty.
    """

    article: str = ""
    collection: str = ""
    include: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class WebFile:
    """One file at a fixed address. A checksum or size that is not known stays empty and is not checked.

    Attributes:
        name: path below the raw folder.
    """

    url: str
    name: str
    sha256: str = ""
    md5: str = ""
    size: int | None = None


@dataclass(frozen=True)
class Unpack:
    """Archives to unpack after the download, by pattern of their path (`*.zip`, `records.tar.gz`).

    Attributes:
        into: folder below the raw folder; empty: beside the archive.
        strip: leading folder that is cut off the members' paths.
    """

    archive: str
    into: str = ""
    strip: str = ""


Origin = PhysioNet | Zenodo | Figshare | WebFile | Unpack
