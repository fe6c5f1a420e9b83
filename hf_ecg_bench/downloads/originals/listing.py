"""Asking the hosts what files there are."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from hf_ecg_bench.data.origins import Figshare, Origin, PhysioNet, Unpack, WebFile, Zenodo
from hf_ecg_bench.downloads import NotFound, fetch, get_json
from hf_ecg_bench.downloads.originals import physionet, repositories
from hf_ecg_bench.downloads.originals.files import RemoteFile, checked_digest, safe_path, without_repeats
from hf_ecg_bench.downloads.originals.hosts import FIGSHARE, ZENODO, mirrored

_PAGE = 100  # articles asked for at a time; the host allows up to 1,000


def list_files(origins: Sequence[Origin]) -> list[RemoteFile]:
    """All files that the origins include, in their order.

    Raises:
        DownloadError: a host cannot be asked, its answer has another form, or it no longer has what is included.
    """
    files: list[RemoteFile] = []
    for origin in origins:
        match origin:
            case PhysioNet():
                files += _physionet(origin)
            case Zenodo():
                files += repositories.zenodo_files(origin, get_json(mirrored(f"{ZENODO}/records/{origin.record}")))
            case Figshare():
                files += _figshare(origin)
            case WebFile():
                files.append(_web_file(origin))
            case Unpack():
                pass
    return without_repeats(files)


def _physionet(origin: PhysioNet) -> list[RemoteFile]:
    try:
        sums = _text(physionet.address(origin, "SHA256SUMS.txt"))
    except NotFound:
        return physionet.files_of_records(origin, *_records(origin, ""))
    return physionet.files_of_sums(origin, sums)


def _records(origin: PhysioNet, folder: str) -> tuple[list[str], list[str]]:
    """The records of a folder, those of its subfolders included, and the lists that name them."""
    records: list[str] = []
    lists = [f"{folder}RECORDS"]
    where = physionet.address(origin, lists[0])
    for entry in physionet.split_records(_text(where)):
        path = folder + safe_path(entry, where)
        if not entry.endswith("/"):
            records.append(path)
        else:
            below = _records(origin, f"{path}/")
            records += below[0]
            lists += below[1]
    return records, lists


def _figshare(origin: Figshare) -> list[RemoteFile]:
    articles = [origin.article]
    if origin.collection:
        base = f"{FIGSHARE}/collections/{origin.collection}/articles"
        articles = repositories.article_numbers(_pages(base), base)
    entries = [entry for number in articles for entry in _pages(f"{FIGSHARE}/articles/{number}/files")]
    return repositories.figshare_files(origin, entries)


def _pages(url: str) -> list[Any]:
    """The entries of all pages of a list. What is no list comes back as the one entry, for others to refuse."""
    entries: list[Any] = []
    previous = None
    for page in count(1):
        answer = get_json(f"{mirrored(url)}?page={page}&page_size={_PAGE}")
        if not isinstance(answer, list):
            return [answer]
        if answer != previous:  # else the host knows no pages and gives everything each time
            entries += answer
        if len(answer) < _PAGE or answer == previous:
            break
        previous = answer
    return entries


def _web_file(origin: WebFile) -> RemoteFile:
    checksum = checked_digest("sha256", origin.sha256, origin.url) or checked_digest("md5", origin.md5, origin.url)
    path = safe_path(origin.name, origin.url)
    return RemoteFile(origin.url, path, origin.size, checksum, metadata=not origin.signals)


def _text(url: str) -> str:
    """A text of any length (PhysioNet's largest lists have a hundred megabytes)."""
    with tempfile.TemporaryDirectory(prefix="ecg_bench_") as folder:
        return fetch(mirrored(url), Path(folder) / url.rsplit("/", 1)[-1]).read_text(encoding="utf-8")
