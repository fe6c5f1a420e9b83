"""Lists of files on zenodo.org and figshare.com, from the answers of their APIs. Pure; no network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hf_ecg_bench.data.origins import Figshare, Zenodo
from hf_ecg_bench.downloads.originals.files import RemoteFile, checked_digest, safe_path, select
from hf_ecg_bench.errors import DownloadError


def zenodo_files(origin: Zenodo, answer: Any) -> list[RemoteFile]:
    """The included files of the answer to `records/<number>`.

    Raises:
        DownloadError: the answer has another form, or a file's path leaves the folder.
    """
    where = f"Zenodo's record {origin.record}"
    entries = answer.get("files") if isinstance(answer, dict) else None
    files = []
    for entry in _objects(entries, where):
        name, links = _text(entry, "key", where), entry.get("links")
        kind, _, value = str(entry.get("checksum") or "").partition(":")
        files.append(
            RemoteFile(
                url=_text(links if isinstance(links, dict) else {}, "self", where),
                path=safe_path(name, where),
                size=_size(entry, where),
                checksum=checked_digest(kind, value, where) if kind in ("md5", "sha256") else "",
            )
        )
    return select(files, origin.include, origin.metadata, origin.about, where)


def figshare_files(origin: Figshare, entries: Iterable[Any]) -> list[RemoteFile]:
    """The included files of the answers to `articles/<number>/files`, of one article or of a collection's.

    Raises:
        DownloadError: an answer has another form, or a file's path leaves the folder.
    """
    where = f"figshare's collection {origin.collection}" if origin.collection else f"figshare's {origin.article}"
    files = []
    for entry in _objects(list(entries), where):
        if entry.get("is_link_only"):  # an article may also just point to a file elsewhere
            continue
        md5 = str(entry.get("computed_md5") or entry.get("supplied_md5") or "")
        files.append(
            RemoteFile(
                url=_text(entry, "download_url", where),
                path=safe_path(_text(entry, "name", where), where),
                size=_size(entry, where),
                checksum=checked_digest("md5", md5, where),
            )
        )
    return select(files, origin.include, origin.metadata, origin.about, where)


def article_numbers(answer: Any, where: str) -> list[str]:
    """The numbers of the articles in one page of a collection's list.

    Raises:
        DownloadError: the answer has another form.
    """
    numbers = []
    for entry in _objects(answer, where):
        if not isinstance(entry.get("id"), int):
            raise _unexpected(where, "an article without 'id'")
        numbers.append(str(entry["id"]))
    return numbers


def _objects(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _unexpected(where, "no list of files")
    return value


def _text(entry: dict[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise _unexpected(where, f"a file without {key!r}")
    return value


def _size(entry: dict[str, Any], where: str) -> int | None:
    value = entry.get("size")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise _unexpected(where, f"the size {value!r}")
    return value


def _unexpected(where: str, what: str) -> DownloadError:
    return DownloadError(f"{where}: the answer has {what}", fix="try again later; the host may have changed its API")
