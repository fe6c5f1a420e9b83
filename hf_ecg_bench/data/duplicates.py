"""Identical recordings inside a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from hf_ecg_bench.data.matching import Recordings, SameSignal, same_recordings

# So many groups are named; all are counted.
MAX_NAMED = 1000


def find_duplicates(fingerprints: Sequence[pa.Table], same: SameSignal | None = None) -> dict[str, Any]:
    """The ledger's entry about recordings that occur more than once.

    Keys: `within_a_split` (how many groups of equal recordings lie in one split), `across_splits` (how many lie in
    several), `groups` (the first 1,000 of the latter, as lists of `[record id, split]`).

    Args:
        fingerprints: of all shards, in the order of the rows.
        same: see `matching.same_recordings`; rows are counted over all tables.
    """
    ids = [name for table in fingerprints for name in table["record_id"].to_pylist()]
    splits = [name for table in fingerprints for name in table["split"].to_pylist()]
    groups = same_recordings(Recordings.of(fingerprints), same)
    across = [group for group in groups if len({splits[row] for row in group}) > 1]
    return {
        "within_a_split": len(groups) - len(across),
        "across_splits": len(across),
        "groups": [[[ids[row], splits[row]] for row in group] for group in across[:MAX_NAMED]],
    }
