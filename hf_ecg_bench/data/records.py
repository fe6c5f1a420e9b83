"""What a builder knows about its records before any signal is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hf_ecg_bench.data.spec import DatasetSpec, TargetSpec
from hf_ecg_bench.data.target_rows import TargetArray
from hf_ecg_bench.errors import DataError, EcgBenchError


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
        targets: (records, targets) float32 with NaN for missing, an array or something that makes its rows; or None.
        split: the release's own split per record, where folds do not decide.
        samples: number of samples of each record's row, where tables or headers say so (`splits=largest_folds`
            needs it in datasets whose tasks leave out short records).
        target_specs: names and kinds of `targets` where they depend on the records; None: those of the spec.
        extra: one list per extra column of the spec.
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
    targets: TargetArray | None = None
    split: list[str] | None = None
    samples: list[int] | None = None
    target_specs: tuple[TargetSpec, ...] | None = None
    extra: dict[str, list[Any]] = field(default_factory=dict)

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
            samples=None if self.samples is None else self.samples[:n],
            extra={name: values[:n] for name, values in self.extra.items()},
        )


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
        **index.extra,
    }
    columns |= {name: value for name in ("split", "samples", "targets") if (value := getattr(index, name)) is not None}
    for name, values in columns.items():
        if len(values) != n:
            raise DataError(f"{spec.id}: column {name} has {len(values)} entries for {n} records")
    if set(index.extra) != {item.name for item in spec.extra_columns}:
        raise EcgBenchError(f"{spec.id}: extra columns {sorted(index.extra)} are not the declared ones")
    targets = spec.targets if index.target_specs is None else index.target_specs
    width = 0 if index.targets is None else index.targets.shape[1]
    if width != len(targets):
        raise EcgBenchError(f"{spec.id}: {width} columns of targets for {len(targets)} names")
    repeated = [record_id for record_id, count in Counter(index.record_id).items() if count > 1]
    if repeated:
        raise DataError(
            f"{spec.id}: record id {repeated[0]} occurs more than once ({len(repeated)} such ids)",
            fix="use the source's tables as published: ids are unique there",
        )
    for column, names in index.label_names.items():
        outside = {label for labels in index.labels[column] for label in labels}.difference(names)
        if outside:
            raise DataError(f"{spec.id}: {column} has labels outside its class names: {sorted(outside)[:5]}")
