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
        diagnoses: the codes of each ECG.
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
    parts: dict[str, list[np.ndarray]] = {name: [] for name in _COLUMNS if name != "all_diag_all"}
    reader = DiagnosisReader(path, fix=DAMAGED)
    for batch in stream_csv(path, _COLUMNS, fix=DAMAGED, required=_REQUIRED):
        reader.add(batch.column("all_diag_all"))
        for name, values in parts.items():
            column = batch.column(name)
            if name == "gender":
                # A handful of texts: one object each, not one per row.
                encoded = column.fill_null("").dictionary_encode()
                texts = np.array(encoded.dictionary.to_pylist(), object)
                values.append(texts[encoded.indices.to_numpy()])
            else:
                values.append(column.to_numpy(zero_copy_only=False))
    columns = {name: np.concatenate(values) for name, values in parts.items()}
    folds = {name: _folds(columns[name], name, path) for name in ("fold", "strat_fold")}
    unique_studies(columns["study_id"], path)
    diagnoses = reader.finish()
    return Studies(
        study=columns["study_id"],
        subject=columns["subject_id"],
        time=columns["ecg_time"].astype("datetime64[s]").astype(np.int64),
        gender=columns["gender"],
        age=columns["age"],
        strat_fold=folds["strat_fold"],
        diagnoses=diagnoses,
        unused=_unused(columns, folds["fold"], diagnoses.diagnosed),
    )


def _unused(columns: dict[str, np.ndarray], fold: np.ndarray, diagnosed: np.ndarray) -> np.ndarray:
    """The published rule: taken in the emergency department, with a diagnosis; where `fold` (not `strat_fold`, which
    makes the splits) is 18 or 19, also the first ECG of its stay.
    """
    conditions = (
        ~columns["ecg_taken_in_ed"].astype(bool),
        ~diagnosed,
        (fold >= _FIRST_ONLY) & (columns["ecg_no_within_stay"] != 0),
    )
    return np.select(conditions, range(len(conditions)), default=-1).astype(np.int8)


def _folds(values: np.ndarray, name: str, path: Path) -> np.ndarray:
    wrong = ~np.isin(values, np.arange(FOLDS))
    if wrong.any():
        raise DataError(
            f"{path}: {name} is {values[wrong][0]:g}, expected a whole number from 0 to {FOLDS - 1}", fix=DAMAGED
        )
    return values.astype(np.int32)


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
