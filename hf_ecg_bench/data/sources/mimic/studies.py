"""The table of ECGs: who, when, diagnoses, folds, and which of them the benchmark uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.formats.csv_stream import stream_csv
from hf_ecg_bench.data.sources.mimic.diagnoses import Diagnoses, DiagnosisReader
from hf_ecg_bench.data.sources.mimic.layout import DAMAGED
from hf_ecg_bench.errors import DataError

FOLDS = 20
# From this value of `fold` on, only the first ECG of a stay is used.
_FIRST_ONLY = 18

_COLUMNS = {
    "study_id": pa.int64(),
    "subject_id": pa.int64(),
    "ecg_time": pa.timestamp("s"),
    "all_diag_all": pa.string(),
    "gender": pa.string(),
    "age": pa.float64(),
    "ecg_no_within_stay": pa.float64(),
    "ecg_taken_in_ed": pa.bool_(),
    "fold": pa.float64(),
    "strat_fold": pa.float64(),
}
_REQUIRED = ("study_id", "subject_id", "ecg_time", "ecg_taken_in_ed", "fold", "strat_fold")


@dataclass(frozen=True)
class Studies:
    """All ECGs of the table, in its order.

    Attributes:
        study, subject: (n,) int64.
        time: (n,) int64, seconds since 1970.
        gender: (n,) text as written.
        age: (n,) years, NaN where missing.
        strat_fold: (n,) the fold that makes the splits.
        diagnoses: the codes of the ECGs taken in the emergency department.
        unused: (n,) position in `REASONS`, -1 for an ECG that is used.
    """

    study: np.ndarray
    subject: np.ndarray
    time: np.ndarray
    gender: np.ndarray
    age: np.ndarray
    strat_fold: np.ndarray
    diagnoses: Diagnoses
    unused: np.ndarray

    def __len__(self) -> int:
        return len(self.study)


REASONS = (
    "not used: taken outside the emergency department",
    "not used: no diagnosis",
    "not used: not the first ECG of its stay (fold 18 and 19)",
)


def read_studies(path: Path) -> Studies:
    """Read `records_w_diag_icd10.csv`.

    Raises:
        DataError: unusable table, a fold outside 0 to 19, or a study that stands twice.
    """
    parts: dict[str, list[np.ndarray]] = {}
    reader = DiagnosisReader(path, fix=DAMAGED)
    for batch in stream_csv(path, _COLUMNS, fix=DAMAGED, required=_REQUIRED):
        in_ed = batch.column("ecg_taken_in_ed").to_numpy(zero_copy_only=False).astype(bool)
        diagnosed = reader.add(batch.column("all_diag_all"), in_ed)
        fold = _folds(batch, "fold", path)
        later = batch.column("ecg_no_within_stay").to_numpy(zero_copy_only=False) != 0
        columns = {
            "study": batch.column("study_id").to_numpy(),
            "subject": batch.column("subject_id").to_numpy(),
            "time": batch.column("ecg_time").to_numpy().astype("datetime64[s]").astype(np.int64),
            "gender": _texts(batch.column("gender")),
            "age": batch.column("age").to_numpy(zero_copy_only=False),
            "strat_fold": _folds(batch, "strat_fold", path),
            "unused": _unused(in_ed, diagnosed, fold, later),
        }
        for name, values in columns.items():
            # A copy: a view would keep the whole batch.
            parts.setdefault(name, []).append(values.copy())
    whole = {name: np.concatenate(parts.pop(name)) for name in list(parts)}
    unique_studies(whole["study"], path)
    return Studies(**whole, diagnoses=reader.finish())


def _unused(in_ed: np.ndarray, diagnosed: np.ndarray, fold: np.ndarray, later: np.ndarray) -> np.ndarray:
    """The published rule: taken in the emergency department, with a diagnosis; where `fold` (not `strat_fold`, which
    makes the splits) is 18 or 19, also the first ECG of its stay.
    """
    conditions = (~in_ed, ~diagnosed, (fold >= _FIRST_ONLY) & later)
    return np.select(conditions, range(len(conditions)), default=-1).astype(np.int8)


def _texts(column: pa.Array) -> np.ndarray:
    """A handful of texts: one object each, not one per row."""
    encoded = column.fill_null("").dictionary_encode()
    return np.array(encoded.dictionary.to_pylist(), object)[encoded.indices.to_numpy()]


def _folds(batch: pa.RecordBatch, name: str, path: Path) -> np.ndarray:
    values = batch.column(name).to_numpy()
    wrong = ~np.isin(values, np.arange(FOLDS))
    if wrong.any():
        raise DataError(
            f"{path}: {name} is {values[wrong][0]:g}, expected a whole number from 0 to {FOLDS - 1}", fix=DAMAGED
        )
    return values.astype(np.int8)


def unique_studies(study: np.ndarray, path: Path) -> None:
    """Refuse a table in which a study stands twice: which row counts would be a guess.

    Raises:
        DataError: naming the study.
    """
    ordered = np.sort(study)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        raise DataError(
            f"{path}: study {twice[0]} stands in more than one row ({len(np.unique(twice))} such studies)",
            fix="use the table as published",
        )
