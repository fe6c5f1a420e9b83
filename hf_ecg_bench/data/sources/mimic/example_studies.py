"""Made-up tables with a row per ECG: diagnoses, acute outcomes, measurements of the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from hf_ecg_bench.data.sources.mimic.names import acute_names, published_codes

CHUNK = 10_000
# Folds of the first patients: a small tree has every split.
_FOLDS = np.array([0, 18, 1, 19, *range(2, 18)])
_ECGS_PER_PATIENT = 2
# Days between two ECGs of a patient: body measures of one are not near another.
_DAYS_APART = 100


@dataclass(frozen=True)
class ExampleStudies:
    """ECGs of made-up patients, one after the other; (n,) each, `time` in seconds since 1970."""

    study: np.ndarray
    subject: np.ndarray
    time: np.ndarray
    fold: np.ndarray
    used: np.ndarray

    def part(self, rows: slice) -> ExampleStudies:
        """Some of the ECGs."""
        return ExampleStudies(self.study[rows], self.subject[rows], self.time[rows], self.fold[rows], self.used[rows])

    def parts(self) -> list[ExampleStudies]:
        """All of them, in parts that fit the memory with their events."""
        return [self.part(slice(start, start + CHUNK)) for start in range(0, len(self.study), CHUNK)]


def example_studies(n: int, used: float, seed: int) -> ExampleStudies:
    """`n` ECGs, of whom a share is used."""
    rng = np.random.default_rng([seed, 1])
    number = np.arange(n)
    patient = number // _ECGS_PER_PATIENT
    start = np.datetime64("2150-01-01T00:00:00", "s").astype(np.int64)
    day = patient % 5000 + number % _ECGS_PER_PATIENT * _DAYS_APART
    return ExampleStudies(
        study=40_000_000 + number,
        subject=10_000_000 + 3 * patient,
        time=start + day * 86400 + rng.integers(7200, 79200, n),
        fold=_FOLDS[patient % len(_FOLDS)],
        used=rng.random(n) < used,
    )


def write_table(path: Path, columns: Mapping[str, Any], *, sink: Any = None) -> None:
    """A table as comma-separated text with quotes where they are needed, to a file or an open one (without header)."""
    table = pa.table({name: _array(values) for name, values in columns.items()})
    options = csv.WriteOptions(include_header=sink is None, quoting_style="needed")
    csv.write_csv(table, path if sink is None else sink, options)


def timestamps(seconds: np.ndarray) -> np.ndarray:
    """Seconds since 1970 as what a table writes `2150-01-01 07:00:00`."""
    return seconds.astype("datetime64[s]")


def write_studies(folder: Path, studies: ExampleStudies, seed: int) -> None:
    """`records_w_diag_icd10.csv`, `mds_ed.csv`, `machine_measurements.csv`."""
    writers = {"records_w_diag_icd10": _diagnoses, "mds_ed": _acute, "machine_measurements": _measurements}
    for number, (name, make) in enumerate(writers.items()):
        with open(folder / f"{name}.csv", "wb") as sink:
            for at, part in enumerate(studies.parts()):
                columns = make(part, np.random.default_rng([seed, 2, number, at]))
                if at == 0:
                    sink.write((",".join(columns) + "\n").encode())
                write_table(folder, columns, sink=sink)


def _diagnoses(studies: ExampleStudies, rng: np.random.Generator) -> dict[str, Any]:
    n = len(studies.study)
    codes = [code for code in published_codes() if len(code) > 3]
    chosen = [rng.choice(len(codes), rng.integers(3, 16), replace=False) for _ in range(min(n, 500))]
    lists = [str([codes[number] for number in own]) for own in chosen]
    cells = [lists[number] for number in rng.integers(0, len(lists), n)]
    male = studies.subject % 2 == 0
    used = studies.used
    return {
        "": np.arange(n),
        "file_name": [f"files/{study}" for study in studies.study.tolist()],
        "study_id": studies.study,
        "subject_id": studies.subject,
        "ecg_time": timestamps(studies.time),
        "all_diag_all": cells,
        "gender": np.where(male, "M", "F"),
        "age": 20 + studies.subject // 3 % 70,
        "ecg_no_within_stay": np.zeros(n, int),
        "ecg_taken_in_ed": np.where(used, "True", "False"),
        "fold": studies.fold,
        "strat_fold": studies.fold,
    }


def _acute(studies: ExampleStudies, rng: np.random.Generator) -> dict[str, Any]:
    flags = rng.choice([0.0, 1.0, -999.0], (len(acute_names()), len(studies.study)), p=[0.8, 0.1, 0.1])
    return {
        "general_subject_id": studies.subject,
        "general_study_id": studies.study,
        **dict(zip(acute_names(), flags, strict=True)),
    }


def _measurements(studies: ExampleStudies, rng: np.random.Generator) -> dict[str, Any]:
    n = len(studies.study)
    onset = rng.integers(200, 260, n)
    numbers: dict[str, Sequence[Any] | np.ndarray] = {
        "rr_interval": rng.integers(500, 1200, n),
        "p_onset": onset - 160,
        "p_end": onset - 40,
        "qrs_onset": onset,
        "qrs_end": onset + rng.integers(70, 130, n),
        "t_end": onset + rng.integers(330, 450, n),
        "p_axis": rng.integers(0, 90, n),
        "qrs_axis": rng.integers(-60, 110, n),
        "t_axis": rng.integers(0, 90, n),
    }
    # The device's code for an axis it could not measure.
    numbers["p_axis"] = np.where(rng.random(n) < 0.05, 32767, numbers["p_axis"])
    return {"subject_id": studies.subject, "study_id": studies.study, "ecg_time": timestamps(studies.time), **numbers}


def _array(values: Any) -> pa.Array:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return pa.array(values, from_pandas=True)  # NaN is an empty cell
    return pa.array(values)
