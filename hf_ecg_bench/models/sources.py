"""The authors' own checkpoint files: fetched from where they publish them. No torch here."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from yaml import YAMLError

from hf_ecg_bench.downloads import fetch, get_json
from hf_ecg_bench.errors import CheckpointError, DownloadError, some
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models.archives import extract
from hf_ecg_bench.models.hub_snapshots import hub_snapshot
from hf_ecg_bench.models.spec import Source

ZENODO = "https://zenodo.org"
FIGSHARE = "https://api.figshare.com"
NAMES = {"huggingface": "Hugging Face", "zenodo": "Zenodo", "figshare": "figshare", "google_drive": "Google Drive"}


@dataclass(frozen=True)
class Checkpoint:
    """A fetched checkpoint file.

    Attributes:
        path: where it is.
        origin: its address and revision, for the card.
        license: what its page says about the licence, or None.
        passing: whether the file is in our own folder of downloads, of no use once it is converted.
    """

    path: Path
    origin: str
    license: str | None
    passing: bool


def fetch_checkpoint(source: Source, folder: Path) -> Checkpoint:
    """Fetch a checkpoint, verified as far as its host or the declaration knows it.

    Args:
        folder: for hosts that have no cache of their own. What is there already is not fetched again.

    Raises:
        DownloadError: it cannot be had.
        CheckpointError: it is not the declared file.
    """
    found = _HOSTS[source.host](source, folder)
    if source.member is not None:
        found = replace(found, path=extract(found.path, source.member, folder))
    if source.sha256 is not None and (digest := sha256_file(found.path)) != source.sha256:
        raise CheckpointError(
            f"{found.path.name} from {found.origin} is another file than the one this version knows "
            f"(sha256 {digest}, expected {source.sha256})",
            fix=f"get it from {source.page}, and convert it knowingly with hf-ecg-bench convert",
        )
    return found


def _huggingface(source: Source, folder: Path) -> Checkpoint:
    from huggingface_hub import constants, metadata_load

    snapshot = hub_snapshot(source.location, [escape(source.file), "README.md"], source.revision)
    path, commit = snapshot / source.file, snapshot.name
    if not path.is_file():
        raise DownloadError(f"{source.location} on the Hub has no {source.file} at {commit[:8]}")
    # The Hub's cache names files in large-file storage by their SHA-256.
    blob = path.resolve()
    if re.fullmatch("[0-9a-f]{64}", blob.name) and sha256_file(blob) != blob.name:
        blob.unlink()
        raise DownloadError(f"{source.location}: {source.file} arrived damaged", fix="start the same command again")
    card, stated = snapshot / "README.md", None
    if card.is_file():
        with suppress(ValueError, YAMLError):  # what a page says about itself is an extra
            stated = (metadata_load(card) or {}).get("license")
    origin = f"{constants.ENDPOINT}/{source.location}/blob/{commit}/{source.file}"
    return Checkpoint(path, origin, str(stated) if stated else None, passing=False)


def _zenodo(source: Source, folder: Path) -> Checkpoint:
    address = f"{ZENODO}/api/records/{source.location}"
    record = get_json(address)
    with _understood(address):
        file = _one(record["files"], "key", source.file, address)
        kind, _, checksum = file["checksum"].partition(":")
        size, md5 = int(file["size"]), checksum if kind == "md5" else None
        license_id = (record["metadata"].get("license") or {}).get("id")
    url = f"{address}/files/{quote(source.file)}/content"
    return Checkpoint(fetch(url, folder / source.file, size=size, md5=md5), url, license_id, passing=True)


def _figshare(source: Source, folder: Path) -> Checkpoint:
    item, _, number = source.location.partition("/")
    address = f"{FIGSHARE}/v2/articles/{item}"
    file, article = get_json(f"{address}/files/{number}"), get_json(address)
    with _understood(address):
        url, size = file["download_url"], int(file["size"])
        md5 = file.get("computed_md5") or file.get("supplied_md5")
        license_id = (article.get("license") or {}).get("name")
    return Checkpoint(fetch(url, folder / source.file, size=size, md5=md5), url, license_id, passing=True)


def _google_drive(source: Source, folder: Path) -> Checkpoint:
    raise DownloadError(
        "the authors' file is on Google Drive, which gives large files to people only", fix=f"get it from {source.link}"
    )


_HOSTS: dict[str, Callable[[Source, Path], Checkpoint]] = {
    "huggingface": _huggingface,
    "zenodo": _zenodo,
    "figshare": _figshare,
    "google_drive": _google_drive,
}


class _understood:
    """Turns surprises in a host's answer into an error that says so."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, LookupError | TypeError | ValueError | AttributeError):
            raise DownloadError(f"{self.address}: the answer is not of the known form ({error!r})") from error


def _one(files: list[dict[str, Any]], key: str, name: str, address: str) -> dict[str, Any]:
    for file in files:
        if file[key] == name:
            return file
    raise DownloadError(f"{address} has no file {name}; it has {some(str(file[key]) for file in files)}")
