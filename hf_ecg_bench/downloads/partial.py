"""The part of a file that has arrived: kept beside the target, with what it is a part of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import requests

from hf_ecg_bench.downloads.addresses import shown
from hf_ecg_bench.files import write_json


class Partial:
    """`.NAME.part` and its note `.NAME.part.json`: address, validator (ETag or date) and size of the content.

    A part is only continued where the server confirms with If-Range that the content is still the same.
    """

    def __init__(self, target: Path, url: str) -> None:
        self.data = target.with_name(f".{target.name}.part")
        self._note = target.with_name(f".{target.name}.part.json")
        # The digest, as a signed address holds secrets in its query.
        self._address = {"url": shown(url), "url_sha256": hashlib.sha256(url.encode()).hexdigest()}

    def size(self) -> int:
        """Bytes that are there."""
        return self.data.stat().st_size if self.data.is_file() else 0

    def resumable(self) -> tuple[int, str, int] | None:
        """Bytes, validator and size of the whole, or None where the part cannot be continued."""
        try:
            note: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
            known = {name: note.get(name) for name in self._address}
            validator, total = note["validator"], note["size"]
        except (OSError, ValueError, LookupError, TypeError):
            return None
        there = self.size()
        if known != self._address or not isinstance(validator, str) or not isinstance(total, int) or there > total:
            return None
        return (there, validator, total) if there else None

    def start(self, validator: str | None, total: int | None) -> None:
        """Begin anew. The old part goes before the new note comes: they never stand together."""
        self.data.unlink(missing_ok=True)
        write_json(self._note, {**self._address, "validator": validator, "size": total})

    def discard(self) -> None:
        """Forget the part."""
        self.data.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Put the whole file into its place."""
        self.data.replace(target)
        self._note.unlink(missing_ok=True)


def validator_of(response: requests.Response) -> str | None:
    """What identifies the content: a strong ETag, else the date; weak ETags are not good enough for If-Range."""
    etag = response.headers.get("ETag")
    if etag:
        return None if etag.startswith("W/") else etag
    return response.headers.get("Last-Modified")
