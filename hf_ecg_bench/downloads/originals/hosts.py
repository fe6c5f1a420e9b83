"""Base addresses of the hosts, and the mirrors that a user names in their place."""

from __future__ import annotations

import os

from hf_ecg_bench.errors import DownloadError

PHYSIONET = "https://physionet.org/files"
ZENODO = "https://zenodo.org/api"
FIGSHARE = "https://api.figshare.com/v2"

VARIABLE = "HF_ECG_BENCH_MIRRORS"


def mirrored(url: str) -> str:
    """The address to ask in place of `url`.

    The variable HF_ECG_BENCH_MIRRORS holds pairs `PREFIX=REPLACEMENT`, apart by spaces; the longest prefix that fits
    is replaced. `https://physionet.org/files=https://mirror.example/physionet` fetches PhysioNet's files there (with
    the checksums that the mirror serves).

    Raises:
        DownloadError: the variable holds something else.
    """
    pairs = []
    for pair in os.environ.get(VARIABLE, "").split():
        prefix, separator, replacement = pair.partition("=")
        if not separator or "://" not in prefix or "://" not in replacement:
            raise DownloadError(
                f"{VARIABLE}: {pair!r}, expected PREFIX=REPLACEMENT of two addresses",
                fix=f"{VARIABLE}=https://physionet.org/files=https://mirror.example/physionet",
            )
        if url == prefix or url.startswith(prefix.rstrip("/") + "/"):
            pairs.append((prefix.rstrip("/"), replacement.rstrip("/")))
    if not pairs:
        return url
    prefix, replacement = max(pairs, key=lambda pair: len(pair[0]))
    return replacement + url[len(prefix) :]
