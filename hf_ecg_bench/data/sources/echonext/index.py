"""The records of EchoNext: rows of the table matched with the signals of their split, labels, folds inside train."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilderConfig
from hf_ecg_bench.data.demographics import age_in_years, patient_of, sex_of
from hf_ecg_bench.data.folds.patients import grouped_folds
from hf_ecg_bench.data.formats.npy import open_npy
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.echonext.metadata import (
    FIX,
    NO_SPLIT,
    SPLITS,
    Metadata,
    find_file,
    flag_names,
    read_metadata,
)
from hf_ecg_bench.data.sources.echonext.signals import Waveform, open_waveforms
from hf_ecg_bench.data.vocabulary import choose_in_order
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.files import size_and_time

MEASURED = "measured"
# The order of the arrays' columns; the release's README puts age last.
TABULAR = ("sex", "age", "ventricular_rate", "atrial_rate", "pr_interval", "qrs_duration", "qt_corrected")


@dataclass
class EchoNextConfig(EcgBuilderConfig):
    """Options of EchoNext.

    Attributes:
        n_folds: the train part is cut into all but two; validation and test have the last two numbers.
        stratify_seed: of the folds.
    """

    n_folds: int = 10
    stratify_seed: int = 42


def index_echonext(root: str, config: EchoNextConfig, ledger: Ledger) -> RecordIndex:
    """All records of train, val and test, in the order of the table.

    Raises:
        DataError: no usable table; arrays that are missing, damaged, or of another length than their split.
    """
    folder = Path(root)
    metadata = read_metadata(folder, ledger)
    ledger.found = len(metadata.key)
    used: list[int] = []
    places: dict[str, list[int]] = {split: [] for split in SPLITS}
    for row, split in enumerate(metadata.split):
        if split == NO_SPLIT:
            detail = "an earlier ECG of a validation or test patient"
            ledger.exclude(metadata.key[row], "not used: in no split (no_split)", detail, by_design=True)
        else:
            used.append(row)
            places[split].append(row)
    references: dict[int, Waveform] = {}
    stamps: dict[str, str] = {}
    tabular: dict[int, list[float]] = {}
    for split, rows in places.items():
        tabular |= _tabular(folder, split, rows, ledger)
        if config.metadata_only:
            continue
        path = find_file(folder, f"EchoNext_{split}_waveforms.npy")
        try:
            found = open_waveforms(str(path)).shape[0]
        except RecordProblem as problem:
            raise DataError(f"{problem} (in {folder})", fix=FIX) from problem
        _check_length(path, found, split, rows)
        references |= {row: Waveform(str(path), place) for place, row in enumerate(rows)}
        stamps[split] = f"{path.name}:{size_and_time(path.stat())}"

    folds = split_folds(metadata, places, config.n_folds, config.stratify_seed)
    names, labels = choose_in_order([metadata.flags[row] for row in used], flag_names(), config.min_count)
    missing = [float("nan")] * len(TABULAR)
    features = [tabular.get(row, missing) for row in used]
    extra: dict[str, list[object]] = {MEASURED: [metadata.measured[row] for row in used]}
    for column, name in enumerate(TABULAR):
        extra[tabular_column(name)] = [None if np.isnan(own[column]) else own[column] for own in features]
    return RecordIndex(
        record_id=[metadata.key[row] for row in used],
        patient_id=[patient_of(metadata.patient[row], metadata.key[row], ledger, column="patient_key") for row in used],
        age=[age_in_years(metadata.age[row]) for row in used],
        sex=[sex_of(metadata.sex[row], metadata.key[row], ledger) for row in used],
        strat_fold=[folds[row] for row in used],
        labels={"labels": labels},
        label_names={"labels": names},
        references=[references.get(row) for row in used],
        stamps=[stamps[metadata.split[row]] for row in used] if stamps else [],
        split=[SPLITS[metadata.split[row]] for row in used],
        extra=extra,
    )


def tabular_column(name: str) -> str:
    """The extra column of one of the release's tabular features."""
    return f"tabular_{name}"


def split_folds(metadata: Metadata, places: dict[str, list[int]], n_folds: int, seed: int) -> dict[int, int]:
    """Row -> fold: train is stratified by patient on the flags; validation and test have the last two numbers.

    Patients without any positive flag in their split have -1. The folds do not decide the split.
    """
    folds: dict[int, int] = {}
    for number, (split, rows) in enumerate(places.items()):
        patients = _sortable([metadata.patient[row] or f"record {metadata.key[row]}" for row in rows])
        labels = [metadata.flags[row] for row in rows]
        if split == "train":
            placed = grouped_folds(patients, labels, flag_names(), n_folds - 2, seed=seed)
        else:
            positive = {patient for patient, own in zip(patients, labels, strict=True) if own}
            placed = [n_folds - 3 + number if patient in positive else -1 for patient in patients]
        folds |= dict(zip(rows, placed, strict=True))
    return folds


def _sortable(patients: list[str]) -> list[int] | list[str]:
    """Patients in numeric order where all are numbers."""
    return [int(patient) for patient in patients] if all(map(str.isdecimal, patients)) else patients


def _tabular(folder: Path, split: str, rows: list[int], ledger: Ledger) -> dict[int, list[float]]:
    path = find_file(folder, f"EchoNext_{split}_tabular_features.npy")
    if not path.exists():
        ledger.note(f"no {path.name}: the columns tabular_... of its records are empty")
        return {}
    try:
        data = open_npy(path, (None, len(TABULAR)), ("float32", "float64", "float16"))
        _check_length(path, data.shape[0], split, rows)
        return {row: data.row(place).tolist() for place, row in enumerate(rows)}
    except RecordProblem as problem:
        raise DataError(f"{problem} (in {folder})", fix=FIX) from problem


def _check_length(path: Path, found: int, split: str, rows: list[int]) -> None:
    if found != len(rows):
        raise DataError(
            f"{path} has {found} records, the table has {len(rows)} rows of split {split}: "
            "the i-th record belongs to the i-th of these rows, so a part of either cannot be used",
            fix=FIX,
        )
