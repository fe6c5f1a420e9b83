"""Small JSON answers of hosts' programming interfaces."""

from __future__ import annotations

import json
from typing import Any

from hf_ecg_bench.downloads.addresses import shown
from hf_ecg_bench.downloads.http import broken_connections, open_url
from hf_ecg_bench.downloads.retries import Retry, persist
from hf_ecg_bench.errors import DownloadError

_LARGEST = 16 * 2**20


def get_json(url: str, *, retry: Retry | None = None) -> Any:
    """The JSON at an address.

    Raises:
        DownloadError: it cannot be had, or is something else.
    """

    def attempt() -> bytes:
        with open_url(url, {"Accept": "application/json"}, None) as response, broken_connections():
            body = b""
            for chunk in response.iter_content(1 << 16):
                body += chunk
                if len(body) > _LARGEST:
                    raise DownloadError(f"{shown(url)}: more than {_LARGEST >> 20} MiB, expected a short description")
            return body

    body = persist(attempt, retry or Retry(), shown(url))
    try:
        return json.loads(body)
    except ValueError as error:
        raise DownloadError(f"{shown(url)}: expected JSON, found {body[:40]!r}", fix="try again later") from error
