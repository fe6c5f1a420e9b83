"""Digests that say whether two builds hold the same data, whatever the number of processes, shards or their
order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xxhash

PARTS = ("ids", "demographics", "labels", "folds", "signals")
_MODULUS = 2**256


def record_digests(row: Mapping[str, Any], labels: Mapping[str, Any], split: str, signal: np.ndarray) -> dict[str, int]:
    """One number per part for one record. Every part contains the record's id, so that swapped records show.

    Args:
        row: the record's metadata columns.
        labels: its label names per column, and its targets where it has any.
        split: the split it is in.
        signal: (time, 12) float32.
    """
    record_id = row["record_id"]
    # The one hash over many bytes: xxh3 costs a tenth of SHA-256, and 128 bits tell signals apart.
    signal_hash = xxhash.xxh3_128_hexdigest(np.ascontiguousarray(signal, "<f4").data)
    values = {
        "ids": [row["patient_id"]],
        "demographics": [row["age"], row["sex"]],
        "labels": labels,
        "folds": [row["strat_fold"], split],
        "signals": [row["sampling_rate"], *signal.shape, signal_hash],
    }
    return {part: _number([record_id, value]) for part, value in values.items()}


def add(totals: dict[str, int], digests: Mapping[str, int]) -> None:
    """Add one record's numbers to the running totals (a sum does not depend on the order)."""
    for part in PARTS:
        totals[part] = (totals.get(part, 0) + digests[part]) % _MODULUS


def combine(parts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Join the digests of disjoint parts of a dataset; adds the `dataset` entry over everything."""
    totals = dict.fromkeys(PARTS, 0)
    for digests in parts:
        add(totals, {part: int(digests[part], 16) for part in PARTS})
    result = to_hex(totals)
    result["dataset"] = hashlib.sha256("".join(result[part] for part in PARTS).encode()).hexdigest()
    return result


def to_hex(totals: Mapping[str, int]) -> dict[str, str]:
    """Totals as fixed-length hexadecimal text, for JSON."""
    return {part: f"{totals.get(part, 0):064x}" for part in PARTS}


def _number(value: Any) -> int:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
