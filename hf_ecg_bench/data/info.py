"""ecg_bench.json: the facts about built data that code needs and that `datasets` does not carry along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hf_ecg_bench.data import digest
from hf_ecg_bench.data.ledger import Ledger, split_facts
from hf_ecg_bench.data.rows import ShardReport
from hf_ecg_bench.data.shards import Shard
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.leads import LEADS

INFO_VERSION = 1


def finish_ledger(ledger: Ledger, shards: dict[str, list[Shard]], reports: Sequence[ShardReport]) -> None:
    """Add what the shards' reports found: exclusions, defects, counts per split, digests; the order is that
    of the rows.
    """
    by_name = {report.name: report for report in reports}
    for split, parts in shards.items():
        rows: list[dict[str, Any]] = []
        for shard in parts:
            report = by_name[shard.name]
            ledger.merge(report.excluded, report.defects)
            left_out = {record_id for entries in report.excluded.values() for record_id, _ in entries}
            rows += [row for row in shard.metadata.to_pylist() if row["record_id"] not in left_out]
        ledger.splits[split] = split_facts(rows, parts[0].label_names)
        planned = sum(len(shard.references) for shard in parts)
        if planned and not rows:
            ledger.problem(f"split {split} is empty: all its {planned} records were left out")
    if ledger.found and not ledger.kept:
        reason, entries = next(iter(ledger.excluded.items()), ("no record", [["-", "the source lists none"]]))
        raise DataError(
            f"{ledger.dataset}: none of {ledger.found} records could be used; first: record {entries[0][0]}: "
            f"{reason}: {entries[0][1]}",
            fix="check that --raw-dir is the folder of the complete original release",
        )
    ledger.digests = digest.combine(report.digests for report in reports)


def dataset_info(
    spec: DatasetSpec, shards: dict[str, list[Shard]], ledger: Ledger, options: dict[str, Any]
) -> dict[str, Any]:
    """The content of ecg_bench.json.

    Keys: `dataset`, `title`, `license`, `access`, `homepage`; the signal's `sampling_rate`, `unit`,
    `seconds`, `leads`;
    `label_columns` (column -> class names), `targets` (name, kind, unit); `splits` (records, patients, label
    counts), `digest` and its parts `digests`; `options`; `ledger`.
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
