"""Fingerprints and digests made again from the rows of a prepared folder."""

from __future__ import annotations

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hf_ecg_bench.data import digest
from hf_ecg_bench.data.features import SIGNAL, TARGETS
from hf_ecg_bench.data.fingerprints import FingerprintRows
from hf_ecg_bench.data.folder_rows import PreparedFolder, extra_columns, rows_of, targets_of
from hf_ecg_bench.data.rows import label_texts
from hf_ecg_bench.data.split_facts import SplitFacts


def recompute_shard(
    folder: PreparedFolder, shard: str, split: str, facts: SplitFacts
) -> tuple[pa.Table, dict[str, str]]:
    """Read a shard's rows; returns its fingerprints and its digests per part.

    Args:
        facts: the counts of its split, to which the rows are added.

    Raises:
        OSError, pa.ArrowException, ValueError: the file is damaged, or does not fit to ecg_bench.json.
    """
    names = {column: tuple(classes) for column, classes in folder.label_names.items()}
    fingerprints = FingerprintRows()
    totals: dict[str, int] = {}
    with pq.ParquetFile(folder.data_file(shard)) as file:
        _check_classes(file.schema_arrow, names)
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            _check_indices(table, names)
            extra = extra_columns(table, folder.label_names)
            facts.add(table.drop_columns([n for n in (SIGNAL, TARGETS) if n in table.column_names]), targets_of(table))
            for row in rows_of(table, split):
                hashes = digest.record_hashes(
                    row.metadata,
                    split,
                    label_texts(row.metadata, names),
                    targets=row.targets,
                    extra={name: row.metadata[name] for name in extra},
                    signal=row.signal,
                )
                digest.add(totals, hashes)
                fingerprints.add(row.metadata, split, hashes, row.signal)
    return fingerprints.table(), digest.to_hex(totals)


def _check_classes(schema: pa.Schema, names: dict[str, tuple[str, ...]]) -> None:
    features = datasets.Features.from_arrow_schema(schema)
    for column, classes in names.items():
        own = getattr(getattr(features.get(column), "feature", None), "names", None)
        if own is None or tuple(own) != classes:
            raise ValueError(f"its class names of {column} are not those of ecg_bench.json")


def _check_indices(table: pa.Table, names: dict[str, tuple[str, ...]]) -> None:
    for column, classes in names.items():
        values = pc.list_flatten(table[column]).to_numpy()
        wrong = np.flatnonzero((values < 0) | (values >= len(classes)))
        if len(wrong):
            row = pc.list_parent_indices(table[column])[int(wrong[0])].as_py()
            record = table["record_id"][row].as_py()
            raise ValueError(f"record {record}: {column} has class {values[wrong[0]]} of {len(classes)}")
