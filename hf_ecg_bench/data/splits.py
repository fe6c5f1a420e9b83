"""Which split a record is in: fixed fold numbers, the largest folds left, or the release's own split."""

from __future__ import annotations

from typing import Literal

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import DataError, EcgBenchError
from hf_ecg_bench.names import SPLITS

SplitRule = Literal["fixed", "largest_folds"]


def assign_splits(index: RecordIndex, spec: DatasetSpec, rule: SplitRule, *, folds: tuple[int, int]) -> list[str]:
    """The split of each record: by fixed fold numbers, or by the largest folds that a task's filters leave.

    Args:
        index: of the complete source; a `limit` must not change where a record belongs.
        folds: the fixed numbers of the validation and the test fold.

    Raises:
        DataError: a patient in two splits.
    """
    if index.split is not None:
        splits = list(index.split)
    else:
        validation, test = folds
        if rule == "largest_folds" and len(index):
            test = max(
                (fold for fold, used in zip(index.strat_fold, _used(index, spec), strict=True) if used), default=0
            )
            validation = test - 1
        # Above the largest fold left there are only records that tasks do not use; never training records.
        splits = [
            "test" if fold >= test else "validation" if fold == validation else "train" for fold in index.strat_fold
        ]
    _check_patients(index, splits, spec)
    return splits


def report_empty_splits(splits: list[str], spec: DatasetSpec, ledger: Ledger) -> None:
    """Say which splits that the complete release fills are empty.

    Raises:
        DataError: in strict mode.
    """
    found = set(splits)
    for split in SPLITS:
        if split in spec.splits and split not in found:
            ledger.problem(
                f"split {split} is empty: no record of the source belongs to it ({spec.folds})",
                fix="prepare the complete release, or leave out --strict",
            )


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


def _used(index: RecordIndex, spec: DatasetSpec) -> list[bool]:
    """Whether the dataset's tasks use a record."""
    used = [fold >= 0 or not spec.needs_fold for fold in index.strat_fold]
    if spec.min_seconds is not None:
        if index.samples is None:
            raise EcgBenchError(f"{spec.id}: the rule largest_folds needs the lengths of the records")
        least = spec.min_seconds * spec.sampling_rate
        used = [own and samples >= least for own, samples in zip(used, index.samples, strict=True)]
    return used
