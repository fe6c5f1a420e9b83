"""What a builder knows about its records before any signal is read, and how they are cut into splits and
shards.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.features import SIGNAL, row_features
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.names import SPLITS

# Large enough for few files, small enough that processes share a split and a killed build loses little.
SHARD_RECORDS = 1000
MIN_SHARD_RECORDS = 100
SHARDS_PER_SPLIT = 16

SplitRule = Literal["fixed", "largest_folds"]


@dataclass(frozen=True)
class RecordIndex:
    """All records of a dataset in row order; every list has one entry per record.

    Attributes:
        record_id, patient_id, age, sex, strat_fold: the metadata columns (None where the source has nothing).
        labels: label column -> the record's label names (order and repeats do not matter).
        label_names: label column -> class names in order; every name in `labels` is one of them.
        references: whatever the builder's `read` needs to make the signal; must pickle.
        stamps: text that changes when the record's source changes (size and time of its files); part of what
            decides whether a finished shard can be kept.
        targets: (records, targets) float32 with NaN for missing, or None.
        split: the release's own split per record, where folds do not decide.
    """

    record_id: list[str]
    patient_id: list[str | None]
    age: list[float | None]
    sex: list[str | None]
    strat_fold: list[int]
    labels: dict[str, list[list[str]]]
    label_names: dict[str, tuple[str, ...]]
    references: list[Any]
    stamps: list[str] = field(default_factory=list)
    targets: np.ndarray | None = None
    split: list[str] | None = None

    def __len__(self) -> int:
        return len(self.record_id)

    def head(self, n: int) -> RecordIndex:
        """The first `n` records."""
        return replace(
            self,
            record_id=self.record_id[:n],
            patient_id=self.patient_id[:n],
            age=self.age[:n],
            sex=self.sex[:n],
            strat_fold=self.strat_fold[:n],
            labels={column: values[:n] for column, values in self.labels.items()},
            references=self.references[:n],
            stamps=self.stamps[:n],
            targets=None if self.targets is None else self.targets[:n],
            split=None if self.split is None else self.split[:n],
        )

    def features(self) -> Any:
        """The Hugging Face features of the rows."""
        return row_features(self.label_names, 0 if self.targets is None else self.targets.shape[1])


@dataclass(frozen=True)
class Shard:
    """A run of records of one split: everything needed to write its rows, in any process.

    Attributes:
        split, number, count: `number` of `count` shards of `split`.
        metadata: Arrow table of all columns but the signal.
        references: one per record, for the builder's `read`.
        label_names: as in RecordIndex.
        fingerprint: changes when the metadata, the sources' stamps or the builder's code and options change.
    """

    split: str
    number: int
    count: int
    metadata: pa.Table
    references: list[Any]
    label_names: dict[str, tuple[str, ...]]
    fingerprint: str

    @property
    def name(self) -> str:
        """`train-00000-of-00003`, the Hub's own pattern."""
        return f"{self.split}-{self.number:05d}-of-{self.count:05d}"


def check_index(index: RecordIndex, spec: DatasetSpec) -> None:
    """Refuse an index that no dataset may have: lists of different length, repeated ids, labels outside
    their names.

    Raises:
        DataError: naming the dataset and the first offender.
    """
    n = len(index)
    columns: dict[str, Sequence[Any]] = {
        "patient_id": index.patient_id,
        "age": index.age,
        "sex": index.sex,
        "strat_fold": index.strat_fold,
        "references": index.references,
        **index.labels,
    }
    for name, values in columns.items():
        if len(values) != n:
            raise DataError(f"{spec.id}: column {name} has {len(values)} entries for {n} records")
    repeated = [record_id for record_id, count in Counter(index.record_id).items() if count > 1]
    if repeated:
        raise DataError(f"{spec.id}: record id {repeated[0]} occurs more than once ({len(repeated)} such ids)")
    for column, names in index.label_names.items():
        outside = {label for labels in index.labels[column] for label in labels}.difference(names)
        if outside:
            raise DataError(f"{spec.id}: {column} has labels outside its class names: {sorted(outside)[:5]}")


def assign_splits(index: RecordIndex, spec: DatasetSpec, rule: SplitRule, ledger: Ledger) -> list[str]:
    """The split of each record: by the dataset's fixed fold numbers, or by the largest folds present (rule
    3.4).

    Raises:
        DataError: a patient in two splits; in strict mode also an empty split.
    """
    if index.split is not None:
        splits = list(index.split)
    else:
        test, validation = spec.test_fold, spec.validation_fold
        if rule == "largest_folds" and len(index):
            test = max(index.strat_fold)
            validation = test - 1
        names = {test: "test", validation: "validation"}
        splits = [names.get(fold, "train") for fold in index.strat_fold]
    _check_patients(index, splits, spec)
    for split in SPLITS:
        if split not in splits:
            ledger.problem(
                f"split {split} is empty: no record of the source belongs to it ({spec.folds})",
                fix="prepare the complete release, or leave out --strict",
            )
    return splits


def _check_patients(index: RecordIndex, splits: list[str], spec: DatasetSpec) -> None:
    seen: dict[str, tuple[str, str]] = {}
    for record_id, patient, split in zip(index.record_id, index.patient_id, splits, strict=True):
        if patient is None:
            continue
        first_split, first_record = seen.setdefault(patient, (split, record_id))
        if first_split != split:
            raise DataError(
                f"{spec.id}: patient {patient} is in two splits: record {first_record} in {first_split}, "
                f"record {record_id} in {split}; scores would be measured on patients seen in training",
                fix="use the release's own folds (strat_fold keeps a patient together)",
            )


def metadata_table(index: RecordIndex, spec: DatasetSpec) -> pa.Table:
    """All columns but the signal, typed as the features want them; labels as sorted class indices without
    repeats.
    """
    schema = index.features().arrow_schema
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
    if index.targets is not None:
        columns["targets"] = list(np.asarray(index.targets, np.float32))
    fields = [schema.field(name) for name in columns]
    arrays = [pa.array(columns[item.name], type=item.type) for item in fields]
    return pa.table(arrays, schema=pa.schema(fields))


def plan_shards(index: RecordIndex, splits: list[str], spec: DatasetSpec, code: str) -> dict[str, list[Shard]]:
    """Cut each split into shards of nearly equal size; an empty split gets one shard without records.

    Args:
        code: identifies the builder's code and options; goes into every shard's fingerprint.
    """
    table = metadata_table(index, spec)
    shards: dict[str, list[Shard]] = {}
    for split in SPLITS:
        rows = np.flatnonzero(np.asarray(splits, dtype=object) == split)
        size = min(SHARD_RECORDS, max(MIN_SHARD_RECORDS, math.ceil(len(rows) / SHARDS_PER_SPLIT)))
        parts = np.array_split(rows, max(1, math.ceil(len(rows) / size)))
        shards[split] = []
        for number, part in enumerate(parts):
            metadata = table.take(pa.array(part, pa.int64()))
            stamps = [index.stamps[row] for row in part] if index.stamps else []
            text = json.dumps([code, split, index.label_names, metadata.to_pylist(), stamps], sort_keys=True)
            shards[split].append(
                Shard(
                    split=split,
                    number=number,
                    count=len(parts),
                    metadata=metadata,
                    references=[index.references[row] for row in part],
                    label_names=dict(index.label_names),
                    fingerprint=hashlib.sha256(text.encode()).hexdigest(),
                )
            )
    return shards


def full_schema(shard: Shard) -> pa.Schema:
    """The Arrow schema of a shard's rows, signal included, with the features in its metadata."""
    targets = shard.metadata.schema.field("targets").type.list_size if "targets" in shard.metadata.column_names else 0
    schema = row_features(shard.label_names, targets).arrow_schema
    assert set(schema.names) == {*shard.metadata.column_names, SIGNAL}
    return schema
