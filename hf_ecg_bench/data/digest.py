"""Digests that say whether two builds hold the same data, whatever the number of processes, shards or their
order.

A record has one SHA-256 per part (`record_hashes`). The digest of a part is the sum of its records' hashes, so it does
not depend on the order; the digest of the dataset is a hash over the parts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xxhash

PARTS = ("ids", "demographics", "labels", "targets", "extra", "folds", "signals")
_MODULUS = 2**256


def record_hashes(
    row: Mapping[str, Any],
    split: str,
    labels: Mapping[str, list[str]],
    *,
    targets: np.ndarray | None = None,
    extra: Mapping[str, Any] | None = None,
    signal: np.ndarray | None = None,
) -> dict[str, bytes]:
    """32 bytes per part of one record; a part that the dataset does not have is left out.

    Every part contains the record's id, so that swapped records show.

    Args:
        row: the record's metadata columns.
        split: the split it is in.
        labels: label column -> its label names.
        targets: (targets,) float32.
        extra: the dataset's own columns.
        signal: (time, 12) float32.
    """
    values: dict[str, Any] = {
        "ids": [row["patient_id"]],
        "demographics": [row["age"], row["sex"]],
        "labels": labels,
        "folds": [row["strat_fold"], split],
    }
    if targets is not None:
        values["targets"] = _array_hash(targets)
    if extra:
        values["extra"] = extra
    if signal is not None:
        values["signals"] = [row["sampling_rate"], *signal.shape, _array_hash(signal)]
    return {part: _hash([row["record_id"], value]) for part, value in values.items()}


def add(totals: dict[str, int], hashes: Mapping[str, bytes]) -> None:
    """Add one record's hashes to the running totals (a sum does not depend on the order)."""
    for part, value in hashes.items():
        totals[part] = (totals.get(part, 0) + int.from_bytes(value, "big")) % _MODULUS


def combine(parts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Join the digests of disjoint parts of a dataset; adds the `dataset` entry over everything."""
    totals = dict.fromkeys(PARTS, 0)
    for digests in parts:
        for part in PARTS:
            totals[part] = (totals[part] + int(digests[part], 16)) % _MODULUS
    result = to_hex(totals)
    result["dataset"] = hashlib.sha256("".join(result[part] for part in PARTS).encode()).hexdigest()
    return result


def to_hex(totals: Mapping[str, int]) -> dict[str, str]:
    """Totals as fixed-length hexadecimal text, for JSON; zero for a part that there is not."""
    return {part: f"{totals.get(part, 0):064x}" for part in PARTS}


def _array_hash(values: np.ndarray) -> str:
    # The one hash over many bytes: xxh3 costs a tenth of SHA-256, and 128 bits tell arrays apart.
    return xxhash.xxh3_128_hexdigest(np.ascontiguousarray(values, "<f4").data)


def _hash(value: Any) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).digest()
