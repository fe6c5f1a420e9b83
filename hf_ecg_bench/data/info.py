"""ecg_bench.json: the facts about built data that code needs and that `datasets` does not carry along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_ecg_bench.data import digest
from hf_ecg_bench.data.duplicates import find_duplicates
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.rows import ShardReport
from hf_ecg_bench.data.shards import Shard
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.data.split_facts import SplitFacts
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.leads import LEADS

INFO_VERSION = 1


def finish_ledger(
    ledger: Ledger,
    shards: dict[str, list[Shard]],
    reports: Sequence[ShardReport],
    fingerprints: Mapping[str, pa.Table],
    same_signal: Callable[[Any, Any], bool],
) -> None:
    """Add what the shards' reports found: exclusions, defects, counts per split, duplicates, digests; the order is
    that of the rows. Names that the ledger has no room for are dropped from the reports as well.

    Args:
        fingerprints: shard name -> its fingerprints, one row for each record that was kept.
        same_signal: compares the signals of two references, asked where fingerprints alone do not decide.
    """
    by_name = {report.name: report for report in reports}
    for split, parts in shards.items():
        facts = SplitFacts(parts[0].label_names, [target.name for target in parts[0].targets])
        for shard in parts:
            report = by_name[shard.name]
            report.excluded, report.defects = ledger.merge(
                report.excluded, report.defects, report.excluded_counts, report.defect_counts
            )
            kept = _kept(shard, fingerprints)
            facts.add(
                shard.metadata.take(pa.array(kept)),
                None if shard.target_rows is None else shard.target_rows.read()[kept],
            )
        ledger.splits[split] = facts.to_dict()
        planned = sum(len(shard.references) for shard in parts)
        if planned and not ledger.splits[split]["records"]:
            ledger.problem(f"split {split} is empty: all its {planned} records were left out")
    if ledger.found and not ledger.kept:
        reason, entries = next(iter(ledger.excluded.items()), ("no record", [["-", "the source lists none"]]))
        raise DataError(
            f"{ledger.dataset}: none of {ledger.found} records could be used; first: record {entries[0][0]}: "
            f"{reason}: {entries[0][1]}",
            fix="check that --raw-dir is the folder of the complete original release",
        )
    _find_duplicates(ledger, [shard for parts in shards.values() for shard in parts], fingerprints, same_signal)
    ledger.digests = digest.combine(report.digests for report in reports)


def _kept(shard: Shard, fingerprints: Mapping[str, pa.Table]) -> np.ndarray:
    """Positions of the shard's records that became rows."""
    kept = pc.is_in(shard.metadata["record_id"], value_set=fingerprints[shard.name]["record_id"].combine_chunks())
    return np.flatnonzero(kept.to_numpy())


def _find_duplicates(
    ledger: Ledger,
    shards: Sequence[Shard],
    fingerprints: Mapping[str, pa.Table],
    same_signal: Callable[[Any, Any], bool],
) -> None:
    tables = [fingerprints[shard.name] for shard in shards]
    ends = np.cumsum([len(table) for table in tables])

    def reference(row: int) -> Any:
        part = int(np.searchsorted(ends, row, side="right"))
        shard = shards[part]
        return shard.references[_kept(shard, fingerprints)[row - ends[part]]]

    found = find_duplicates(tables, lambda a, b: same_signal(reference(a), reference(b)))
    ledger.duplicates = found
    if found["across_splits"]:
        first = found["groups"][0]
        named = ", ".join(f"{record_id} in {split}" for record_id, split in first[:3])
        ledger.problem(
            f"recordings that occur in more than one split: {found['across_splits']}; first: {named}",
            fix="leave out --strict: they are then listed in ecg_bench.json under ledger.duplicates",
        )


def dataset_info(
    spec: DatasetSpec, shards: dict[str, list[Shard]], ledger: Ledger, options: dict[str, Any]
) -> dict[str, Any]:
    """The content of ecg_bench.json.

    Keys: `dataset`, `title`, `license`, `access`, `homepage`; the signal's `sampling_rate`, `unit`,
    `seconds`, `leads`;
    `label_columns` (column -> class names), `targets` (name, kind, unit); `splits` (see SplitFacts), `digest` and its
    parts `digests`; `options`; `ledger` (counts of all that was left out or not understood, with the first 1,000
    records per reason; duplicates; notes).
    """
    first = next(iter(shards.values()))[0]
    return {
        "format_version": INFO_VERSION,
        "dataset": spec.id,
        "title": spec.title,
        "license": spec.license,
        "access": spec.access,
        "homepage": spec.homepage,
        "sampling_rate": spec.sampling_rate,
        "unit": spec.unit,
        "seconds": spec.seconds,
        "leads": list(LEADS),
        "min_seconds": spec.min_seconds,
        "needs_fold": spec.needs_fold,
        "metadata_only": first.metadata_only,
        "label_columns": {column: list(names) for column, names in first.label_names.items()},
        "targets": [asdict(target) for target in first.targets],
        "splits": ledger.splits,
        "digest": ledger.digests["dataset"],
        "digests": {part: ledger.digests[part] for part in digest.PARTS},
        "options": options,
        "ledger": ledger.to_dict(),
    }
