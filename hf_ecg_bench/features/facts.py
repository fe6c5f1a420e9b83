"""Where stores are, and what stands in their store.json: what decides their features, and what a listing shows."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from hf_ecg_bench.files import write_json
from hf_ecg_bench.models.cache import cache_root

STORE_FILE = "store.json"


def features_root() -> Path:
    """The folder of all stores, in the cache."""
    return cache_root() / "features"


def read_facts(folder: Path) -> dict[str, Any]:
    """What store.json says; nothing where there is none, or a damaged one."""
    try:
        values = json.loads((folder / STORE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def write_facts(folder: Path, values: dict[str, Any]) -> None:
    """Write store.json, unless it says so already."""
    if read_facts(folder) != values:
        write_json(folder / STORE_FILE, values)


def touch(folder: Path) -> None:
    """Note that the store was used now: the time of store.json is that of the last use."""
    with suppress(OSError):  # somebody else's cache, only read
        os.utime(folder / STORE_FILE)


def last_use(folder: Path) -> float:
    """When the store was used last, in seconds since 1970."""
    path = folder / STORE_FILE
    return (path if path.exists() else folder).stat().st_mtime
