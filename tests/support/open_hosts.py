"""PhysioNet, Zenodo, figshare and any web server on loopback, with the lists and APIs that downloads ask.

`serve` publishes a source tree as a dataset's origins say: what is declared as an archive is packed into one.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from hf_ecg_bench.data.origins import Figshare, Origin, PhysioNet, Unpack, WebFile, Zenodo
from tests.support.file_server import File, FileServer

_BASES = {
    "https://physionet.org/files": "/physionet",
    "https://zenodo.org/api": "/zenodo",
    "https://api.figshare.com/v2": "/figshare",
    "https://ndownloader.figshare.com": "/figshare-files",
}


class OpenHosts:
    """The hosts.

    Attributes:
        server: what serves them; `files` holds everything by path and can be made to misbehave.
        mirrors: the value of HF_ECG_BENCH_MIRRORS that leads there.
    """

    def __init__(self) -> None:
        self.server = FileServer()
        self._web: set[str] = set()

    @property
    def mirrors(self) -> str:
        bases = {**_BASES, **dict.fromkeys(self._web, "/web")}
        return " ".join(f"{base}={self.server.url}{path}" for base, path in bases.items())

    def physionet(self, project: str, version: str, files: dict[str, bytes], *, sums: bool = True) -> None:
        """A project; with `sums=False` one that has `RECORDS` alone."""
        base = f"/physionet/{project}/{version}/"
        for path, content in files.items():
            self.server.add(base + path, content)
        if sums:
            lines = [f"{hashlib.sha256(content).hexdigest()} {path}\n" for path, content in sorted(files.items())]
            self.server.add(f"{base}SHA256SUMS.txt", "".join(lines).encode(), content_type="text/plain")

    def zenodo(self, record: str, files: dict[str, bytes]) -> None:
        """A record."""
        entries = []
        for name, content in files.items():
            path = f"records/{record}/files/{name}/content"
            self.server.add(f"/zenodo/{path}", content)
            md5 = f"md5:{hashlib.md5(content).hexdigest()}"
            links = {"self": f"https://zenodo.org/api/{path}"}
            entries.append({"key": name, "size": len(content), "checksum": md5, "links": links})
        self.server.add_json(f"/zenodo/records/{record}", {"id": int(record), "files": entries})

    def figshare(self, articles: dict[str, dict[str, bytes]], collection: str = "") -> None:
        """Articles with their files, in a collection or not."""
        for article, files in articles.items():
            entries = []
            for number, (name, content) in enumerate(files.items()):
                path = f"/files/{article}{number:02d}"
                self.server.add(f"/figshare-files{path}", content)
                md5 = hashlib.md5(content).hexdigest()
                url = f"https://ndownloader.figshare.com{path}"
                entry = {"name": name, "size": len(content), "computed_md5": md5, "supplied_md5": ""}
                entries.append({**entry, "is_link_only": False, "download_url": url})
            self._pages(f"/figshare/articles/{article}/files", entries)
        if collection:
            self._pages(f"/figshare/collections/{collection}/articles", [{"id": int(number)} for number in articles])

    def _pages(self, path: str, entries: list[Any]) -> None:
        def page(query: dict[str, str]) -> bytes:
            size = int(query.get("page_size", 10))
            start = (int(query.get("page", 1)) - 1) * size
            return json.dumps(entries[start : start + size]).encode()

        self.server.files[path] = File(by_query=page, content_type="application/json")

    def web(self, url: str, content: bytes) -> None:
        """A file at an address of its own."""
        parts = urlsplit(url)
        self._web.add(f"{parts.scheme}://{parts.netloc}")
        self.server.add(f"/web{parts.path}", content)

    def serve(self, origins: Sequence[Origin], tree: Path) -> None:
        """Publish a source tree as the origins say, with other files beside it that they do not include."""
        left = {str(path.relative_to(tree)): path.read_bytes() for path in sorted(tree.rglob("*")) if path.is_file()}
        for rule in origins:
            if isinstance(rule, Unpack):
                _pack(rule, left)
                _split(origins, rule, left)
        for origin in origins:
            match origin:
                case PhysioNet():
                    chosen = {origin.strip + path: path for path in left if _fits(origin.strip + path, origin.include)}
                    files = {path: left.pop(name) for path, name in chosen.items()}
                    others = {origin.strip + path: content for path, content in left.items()}
                    self.physionet(origin.project, origin.version, files | others | {"other/decoy.dat": b"decoy"})
                case Zenodo():
                    self.zenodo(origin.record, _take(origin.include, left))
                case Figshare(collection=""):
                    self.figshare({origin.article: _take(origin.include, left)})
                case Figshare():
                    # Each file is an article of its own, with one that nobody asked for.
                    taken = {str(100 + i): {name: c} for i, (name, c) in enumerate(_take(origin.include, left).items())}
                    self.figshare(taken | {"99": {"decoy.zip": b"decoy"}}, origin.collection)
                case WebFile():
                    self.web(origin.url, left.pop(origin.name))


def _fits(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _take(patterns: Sequence[str], left: dict[str, bytes]) -> dict[str, bytes]:
    return {name: left.pop(name) for name in [name for name in left if _fits(name, patterns)]}


def _pack(rule: Unpack, left: dict[str, bytes]) -> None:
    """Put the files that a rule unpacks into archives."""
    folder = rule.into or str(PurePosixPath(rule.archive).parent)
    prefix = "" if folder == "." else f"{folder}/"
    inside = {name.removeprefix(prefix): name for name in left if name.startswith(prefix)}
    strip = f"{rule.strip.strip('/')}/" if rule.strip else ""
    archives: dict[str, dict[str, bytes]] = {}
    for member, name in inside.items():
        if not _fits(member, rule.members):
            continue
        archive = rule.archive.replace(".tar*", ".tar")
        if "*" in archive:  # `exams_part*.zip` with one file each
            archive = PurePosixPath(name).stem + PurePosixPath(archive).suffix
            assert fnmatchcase(archive, rule.archive)
        archives.setdefault(archive, {})[strip + member] = left.pop(name)
    for archive, files in archives.items():
        left[archive] = pack(archive, files)


def _split(origins: Sequence[Origin], rule: Unpack, left: dict[str, bytes]) -> None:
    """Cut an archive in two where its origin includes parts (`NAME.z*`)."""
    stem = rule.archive.removesuffix("zip")
    if any(f"{stem}z*" in getattr(origin, "include", ()) for origin in origins):
        whole = left.pop(rule.archive)
        left[f"{stem}z01"], left[f"{stem}zip"] = split(whole, len(whole) // 2 + 100)


def pack(name: str, files: dict[str, bytes]) -> bytes:
    """An archive of the kind that its name says, with the folders and leftovers that real ones have."""
    buffer = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted({str(PurePosixPath(path).parent) for path in files} - {"."}):
                archive.writestr(f"{path}/", b"")
            for path, content in files.items():
                archive.writestr(path, content)
            archive.writestr("__MACOSX/._leftover", b"finder")
    else:
        mode: Any = "w:gz" if name.endswith(("gz", "tgz")) else "w"
        with tarfile.open(fileobj=buffer, mode=mode) as tar:
            for path, content in files.items():
                info = tarfile.TarInfo(path)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def split(archive: bytes, size: int) -> list[bytes]:
    """A zip archive in parts of `size` bytes, with the members' places counted as in such archives."""
    whole = bytearray(b"PK\x07\x08" + archive)
    end = whole.rfind(b"PK\x05\x06")
    entries, _, start = struct.unpack_from("<HLL", whole, end + 10)
    position = start + 4
    for _ in range(entries):
        name, extra, comment = struct.unpack_from("<3H", whole, position + 28)
        (place,) = struct.unpack_from("<L", whole, position + 42)
        struct.pack_into("<H", whole, position + 34, (place + 4) // size)
        struct.pack_into("<L", whole, position + 42, (place + 4) % size)
        position += 46 + name + extra + comment
    last = (len(whole) - 1) // size
    assert end // size == last
    struct.pack_into("<2H", whole, end + 4, last, (start + 4) // size)
    struct.pack_into("<L", whole, end + 16, (start + 4) % size)
    return [bytes(whole[at : at + size]) for at in range(0, len(whole), size)]
