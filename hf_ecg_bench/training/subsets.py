"""Which of the training records are used, where not all of them are."""

from __future__ import annotations

from typing import Any

import numpy as np

from hf_ecg_bench.training.records import SplitRecords, TaskRecords
from hf_ecg_bench.training.spec import RunSpec


def choose_subset(records: TaskRecords, spec: RunSpec) -> dict[str, Any]:
    """Leave the part that the run asks for in `records`.

    Returns:
        What identifies the subset, for the result; empty where all records are used.
    """
    train = training_subset(records.splits["train"], spec.fraction, spec.limit, spec.seed)
    if train is records.splits["train"]:
        return {}
    records.splits["train"] = train
    return {"rule": spec.subset, "records": len(train.records)}


def training_subset(split: SplitRecords, fraction: float, limit: int, seed: int) -> SplitRecords:
    """A nested random subset: whole patients up to `fraction` of the records, then at most `limit` records.

    Smaller fractions of one seed are contained in larger ones, so that a learning curve compares like with like.
    """
    if fraction >= 1 and (limit == 0 or limit >= len(split.records)):
        return split
    generator = np.random.default_rng((seed, 0x5EED))
    known = [p if p is not None else f"record {r}" for p, r in zip(split.patient_id, split.record_id, strict=True)]
    patients, inverse, counts = np.unique(known, return_inverse=True, return_counts=True)
    order = generator.permutation(len(patients))
    cumulative = np.empty(len(patients), np.int64)
    cumulative[order] = np.cumsum(counts[order])
    wanted = max(1, round(fraction * len(split.records)))
    chosen = np.flatnonzero(cumulative[inverse] <= max(wanted, cumulative[order[0]]))
    if limit and len(chosen) > limit:
        rank = generator.permutation(len(split.records))
        chosen = np.sort(chosen[np.argsort(rank[chosen], kind="stable")[:limit]])
    return split.take(chosen)
