"""Recordings that several prepared datasets share: the contamination record of their test sets.

`overlaps.json` (`hf-ecg-bench overlap DIR DIR ... --output overlaps.json`) says which recordings of one dataset are
also in another, in which split, under which id. It depends on nothing but the datasets, and names them by digest:

    {"format_version": 1,
     "rule": "how recordings were compared",
     "datasets": [{"dataset": "ptbxl", "digest": "...", "records": 21799, "options": {...}}, ...],
     "pairs": [{"first": 0, "second": 1, "recordings": 21799, "by_rounding": 0,
                "splits": {"train": {"train": 17418}, ...}}, ...],
     "groups": [[[0, "1", "train"], [1, "HR00001", "train"]], ...]}

`first`, `second` and the first entry of a group's members count in `datasets`; `splits` counts recordings by their
split in the first and in the second dataset. A result cites it through the digest of its own dataset (`dataset.digest`
in its result.json): whoever trained on a split of one dataset can look up which test records of the other were in it,
and a score without those records is one filter on `predictions.parquet` away. Overlaps of whole corpora that models
were pre-trained on are declared with the models; this is about single records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.fingerprints import same_but_for_rounding
from hf_ecg_bench.data.folder_rows import PreparedFolder
from hf_ecg_bench.data.matching import COLUMNS, Recordings, same_recordings
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.names import SPLITS

FORMAT_VERSION = 1
RULE = (
    "same sampling rate and length, and either equal signals rounded to thousandths of their unit (1 uV), or no sample "
    "that differs by more than that; signals in which every lead is constant are left out"
)


def find_overlaps(folders: Sequence[PreparedFolder]) -> dict[str, Any]:
    """The content of overlaps.json; see the module's text. Recordings are found by their fingerprints; where rounding
    makes these differ, the signals decide.

    Raises:
        DataError: fewer than two folders, one without signals, or without fingerprints.
    """
    if len(folders) < 2:
        raise DataError("one dataset cannot overlap", fix="give two or more prepared folders")
    for folder in folders:
        if not folder.has_signals:
            raise DataError(
                f"{folder.path} has no signals to compare",
                fix=f"prepare {folder.name} without --metadata-only, into another folder",
            )
    tables = [
        pa.concat_tables([folder.fingerprints(shard["name"], COLUMNS) for shard in folder.shards]) for folder in folders
    ]
    ends = np.cumsum([len(table) for table in tables])
    recordings = Recordings.of(tables)

    def place(row: int) -> tuple[int, int]:
        dataset = int(np.searchsorted(ends, row, side="right"))
        return dataset, row - int(ends[dataset]) + len(tables[dataset])

    def same(a: int, b: int) -> bool:
        (one, row_one), (other, row_other) = place(a), place(b)
        if one == other:
            return False  # a dataset's own repeated recordings are in its ledger
        signals = [folders[dataset].row(row).signal for dataset, row in ((one, row_one), (other, row_other))]
        return signals[0] is not None and signals[1] is not None and same_but_for_rounding(signals[0], signals[1])

    members = []
    for group in same_recordings(recordings, same):
        places = [place(row) for row in group]
        if len({dataset for dataset, _ in places}) > 1:
            members.append([(*at, recordings.rounded[row].tobytes()) for at, row in zip(places, group, strict=True)])
    names = [(table["record_id"].to_pylist(), table["split"].to_pylist()) for table in tables]
    groups = [
        [(dataset, names[dataset][0][row], names[dataset][1][row], rounded) for dataset, row, rounded in group]
        for group in members
    ]
    return {
        "format_version": FORMAT_VERSION,
        "rule": RULE,
        "datasets": [
            {
                "dataset": folder.name,
                "digest": folder.info["digest"],
                "records": len(table),
                "options": folder.info["options"],
            }
            for folder, table in zip(folders, tables, strict=True)
        ],
        "pairs": [_pair(groups, first, second) for first, second in combinations(range(len(folders)), 2)],
        "groups": [[[dataset, record, split] for dataset, record, split, _ in group] for group in groups],
    }


def _pair(groups: list[list[tuple[int, str, str, bytes]]], first: int, second: int) -> dict[str, Any]:
    """Counts of what two datasets share; a recording that is repeated in one of them counts once."""
    splits: Counter[tuple[str, str]] = Counter()
    recordings = by_rounding = 0
    for group in groups:
        own = [member for member in group if member[0] == first]
        other = [member for member in group if member[0] == second]
        if own and other:
            recordings += 1
            by_rounding += not ({member[3] for member in own} & {member[3] for member in other})
            splits[own[0][2], other[0][2]] += 1
    table = {a: {b: splits[a, b] for b in SPLITS if splits[a, b]} for a in SPLITS}
    return {
        "first": first,
        "second": second,
        "recordings": recordings,
        "by_rounding": by_rounding,
        "splits": {split: counts for split, counts in table.items() if counts},
    }
