"""Where a dataset's original files are published: declarations that `prepare --download` follows.

Patterns are those of the shell, of paths with `/`, and `*` also matches `/`: `records500/*`, `*.hea`, `metadata.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PhysioNet:
    """A project on physionet.org; its `SHA256SUMS.txt` lists every file with a checksum, but without sizes.

    Attributes:
        project, version: as in the address (`ptb-xl`, `1.0.3`).
        include: patterns of the paths to fetch, relative to the project. One that matches nothing is an error.
        strip: leading folder that is cut off the paths below the raw folder (`training/georgia/`).
        metadata: patterns of what suffices for `--metadata-only`, relative to the project (`*.hea`); None: everything.
        about: bytes of it all, roughly, for tables and the check of free space; None where nobody has said it.
        suffixes: of a record's files, for a project without `SHA256SUMS.txt`, whose `RECORDS` is then followed.
    """

    project: str
    version: str
    include: tuple[str, ...] = ("*",)
    strip: str = ""
    metadata: tuple[str, ...] | None = None
    about: int | None = None
    suffixes: tuple[str, ...] = (".hea", ".dat")


@dataclass(frozen=True)
class Zenodo:
    """A record on zenodo.org; its API lists files with sizes and MD5 sums.

    Attributes:
        record: its number.
        include, metadata, about: as for PhysioNet.
    """

    record: str
    include: tuple[str, ...] = ("*",)
    metadata: tuple[str, ...] | None = None
    about: int | None = None


@dataclass(frozen=True)
class Figshare:
    """An article or a collection of articles on figshare.com; its API lists files with sizes and MD5 sums.

    Attributes:
        article: the number of one article, or empty.
        collection: the number of a collection, all of whose articles are asked, or empty.
        include, metadata, about: as for PhysioNet. Files of all articles go into one folder.
    """

    article: str = ""
    collection: str = ""
    include: tuple[str, ...] = ("*",)
    metadata: tuple[str, ...] | None = None
    about: int | None = None


@dataclass(frozen=True)
class WebFile:
    """One file at a fixed address. A checksum or size that is not known stays empty and is not checked.

    Attributes:
        name: path below the raw folder.
        signals: True where `--metadata-only` can do without the file.
    """

    url: str
    name: str
    sha256: str = ""
    md5: str = ""
    size: int | None = None
    signals: bool = False


@dataclass(frozen=True)
class Unpack:
    """Archives (zip, zip in parts, tar, tar.gz) to unpack after the download.

    Attributes:
        archive: pattern of their path below the raw folder (`exams_part*.zip`, `records.tar`). Parts `NAME.z01`, ...
            belong to `NAME.zip`.
        into: folder below the raw folder; empty: beside the archive.
        strip: leading folder that is cut off the members' paths where they have it.
        members: patterns of the members to unpack, after `strip`. One that matches nothing is an error.
    """

    archive: str
    into: str = ""
    strip: str = ""
    members: tuple[str, ...] = ("*",)


Origin = PhysioNet | Zenodo | Figshare | WebFile | Unpack


def describe(origin: Origin) -> str:
    """One line for people: the host, what of it, and roughly how much where that is known."""
    match origin:
        case PhysioNet():
            return f"PhysioNet {origin.project} {origin.version}: {_what(origin.include, origin.about)}"
        case Zenodo():
            return f"Zenodo {origin.record}: {_what(origin.include, origin.about)}"
        case Figshare():
            where = f"collection {origin.collection}" if origin.collection else f"article {origin.article}"
            return f"figshare {where}: {_what(origin.include, origin.about)}"
        case WebFile():
            return f"{origin.url}: {_what((origin.name,), origin.size)}"
        case Unpack():
            return f"unpacked: {origin.archive}" + (f" into {origin.into}" if origin.into else "")


def _what(patterns: tuple[str, ...], size: int | None) -> str:
    what = "all files" if patterns == ("*",) else ", ".join(patterns)
    return what if size is None else f"{what} (about {size / 1e9:.3g} GB)"
