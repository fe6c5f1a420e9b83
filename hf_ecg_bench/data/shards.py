"""Records cut into shards: what a process needs to write some rows."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import xxhash

from hf_ecg_bench.data.features import SIGNAL, TARGETS, row_features
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.spec import DatasetSpec, TargetSpec
from hf_ecg_bench.data.target_rows import TargetRows
from hf_ecg_bench.names import SPLITS

# Large enough for few files, small enough that processes share a split and a killed build loses little.
SHARD_RECORDS = 1000
MIN_SHARD_RECORDS = 100
SHARDS_PER_SPLIT = 16


@dataclass(frozen=True)
class Shard:
    """A run of records of one split: everything needed to write its rows, in any process.

    Attributes:
        split, number, count: `number` of `count` shards of `split`.
        metadata: Arrow table of all columns but the signal and the targets.
        references: one per record, for the builder's `read`.
        label_names: as in RecordIndex.
        targets: names and kinds of the `targets` column.
        target_rows: the `targets` column, read when it is needed; None where there is none.
        features: of the rows.
        inputs: digest of all that the rows are made from: metadata, targets, the sources' stamps, code and options.
    """

    split: str
    number: int
    count: int
    metadata: pa.Table
    references: list[Any]
    label_names: dict[str, tuple[str, ...]]
    targets: tuple[TargetSpec, ...]
    target_rows: TargetRows | None
    features: datasets.Features
    inputs: str

    @property
    def name(self) -> str:
        """`train-00000-of-00003`, the Hub's own pattern."""
        return f"{self.split}-{self.number:05d}-of-{self.count:05d}"

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows, with the features in its metadata."""
        return self.features.arrow_schema

    @property
    def metadata_only(self) -> bool:
        """Whether the rows have no signal."""
        return SIGNAL not in self.features


def metadata_table(index: RecordIndex, spec: DatasetSpec, features: datasets.Features) -> pa.Table:
    """All columns but the signal and the targets, typed as the features want them; labels as sorted class indices
    without repeats.
    """
    schema = features.arrow_schema
    columns: dict[str, Any] = {
        "record_id": index.record_id,
        "patient_id": index.patient_id,
        "sampling_rate": [spec.sampling_rate] * len(index),
        "age": index.age,
        "sex": index.sex,
        "strat_fold": index.strat_fold,
    }
    for column, names in index.label_names.items():
        position = {name: number for number, name in enumerate(names)}
        columns[column] = [sorted({position[label] for label in labels}) for labels in index.labels[column]]
    columns |= index.extra
    fields = [schema.field(name) for name in columns]
    arrays = [pa.array(columns[item.name], type=item.type) for item in fields]
    return pa.table(arrays, schema=pa.schema(fields))


def plan_shards(
    index: RecordIndex, splits: list[str], spec: DatasetSpec, code: str, *, metadata_only: bool = False
) -> dict[str, list[Shard]]:
    """Cut each split into shards of nearly equal size; an empty split gets one shard without records.

    Args:
        code: identifies the builder's code and options; goes into every shard's `inputs`.
        metadata_only: rows without the signal.
    """
    targets = spec.targets if index.target_specs is None else index.target_specs
    features = row_features(index.label_names, len(targets), spec.extra_columns, signal=not metadata_only)
    table = metadata_table(index, spec, features)
    common = [code, index.label_names, [target.name for target in targets]]
    shards: dict[str, list[Shard]] = {}
    for split in SPLITS:
        rows = np.flatnonzero(np.asarray(splits, dtype=object) == split)
        size = min(SHARD_RECORDS, max(MIN_SHARD_RECORDS, math.ceil(len(rows) / SHARDS_PER_SPLIT)))
        parts = np.array_split(rows, max(1, math.ceil(len(rows) / size)))
        shards[split] = []
        for number, part in enumerate(parts):
            metadata = table.take(pa.array(part, pa.int64()))
            target_rows = (
                TargetRows.of(index.targets, part) if index.targets is not None and TARGETS in features else None
            )
            stamps = [index.stamps[row] for row in part] if index.stamps else []
            shards[split].append(
                Shard(
                    split=split,
                    number=number,
                    count=len(parts),
                    metadata=metadata,
                    references=[index.references[row] for row in part],
                    label_names=dict(index.label_names),
                    targets=targets,
                    target_rows=target_rows,
                    features=features,
                    inputs=_inputs_digest([*common, split], metadata, target_rows, stamps),
                )
            )
    return shards


def _inputs_digest(common: list[Any], metadata: pa.Table, target_rows: TargetRows | None, stamps: list[str]) -> str:
    values = b"" if target_rows is None else xxhash.xxh3_128_digest(target_rows.read().data)
    text = json.dumps([common, metadata.to_pylist(), stamps], sort_keys=True)
    return hashlib.sha256(text.encode() + values).hexdigest()
