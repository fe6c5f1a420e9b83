"""ZZU pECG's table of records: findings, diseases, patients, folds. Signals are read by `signals`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from hf_ecg_bench.data.access import WITHOUT_SIGNALS
from hf_ecg_bench.data.demographics import patient_of, sex_of
from hf_ecg_bench.data.folds.patients import BANDS_DAYS, demographic_labels, grouped_folds
from hf_ecg_bench.data.folds.stratify import UNPLACED
from hf_ecg_bench.data.formats.csv_table import read_table, whole_number
from hf_ecg_bench.data.formats.wfdb_reader import file_stamp
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.zzu_pecg.codes import (
    DISEASES,
    FIX,
    disease_categories,
    finding_names,
    named,
    report_unnamed,
    tokens,
)
from hf_ecg_bench.data.vocabulary import choose_labels, read_label_table
from hf_ecg_bench.errors import DataError

ATTRIBUTES = "AttributesDictionary.csv"
RECORDS = "Child_ecg"
# In lower case: the columns' names are compared without case.
COLUMNS = (
    "filename",
    "ecg_id",
    "patient_id",
    "gender",
    "age",
    "sampling_point",
    "lead",
    "aha_code",
    "chn_code",
    "icd-10 code",
)
LEADS = 12
# The release also has records of nine leads (no V2, V4, V6), which the benchmark does not use.
NINE_LEADS = 9
N_FOLDS = 10
STRATIFY_SEED = 0
DAYS_PER_YEAR = 365.25
OLDEST_DAYS = 40_000

_PATH = re.compile(r"\w+(?:/\w+)*")
_AGE = re.compile(r"(\d{1,5})\s*d?")
_SETS = ("aha", "chn", "icd10")


@lru_cache(maxsize=1)
def published_label_names() -> dict[str, tuple[str, ...]]:
    """Label column -> class names of the complete release, in code-point order."""
    return {f"labels_{own}": tuple(row["label"] for row in read_label_table(f"zzu_pecg_{own}")) for own in _SETS}


def age_in_days(cell: str) -> int | None:
    """`572d` -> 572; None where the cell holds no number of days."""
    match = _AGE.fullmatch(cell)
    days = int(match[1]) if match else None
    return days if days is not None and days <= OLDEST_DAYS else None


def index_zzu_pecg(
    root: str,
    ledger: Ledger,
    *,
    min_count: int | None = None,
    n_folds: int = N_FOLDS,
    stratify_seed: int = STRATIFY_SEED,
    metadata_only: bool = False,
) -> RecordIndex:
    """All 12-lead rows of `AttributesDictionary.csv`, in its order.

    Labels and folds come from the tables alone: a signal file that cannot be read costs its record, and changes
    neither the label lists nor the fold of any other.

    Args:
        root: the folder with the three tables and `Child_ecg/`.
        ledger: rows left out and codes that are not understood are named here.
        min_count: None for the published labels; otherwise those that occur at least so often here.
        n_folds: number of folds; the last is the test fold, the one before it the validation fold.
        stratify_seed: of the draws among equally good folds.
        metadata_only: leave the signal files alone.

    Raises:
        DataError: no or unusable tables; no `Child_ecg` folder, unless only metadata are wanted.
    """
    folder = Path(root)
    rows = _read_attributes(folder)
    if not metadata_only and not (folder / RECORDS).is_dir():
        raise DataError(f"no folder {RECORDS} in {folder}: the signals are missing", fix=f"{FIX}; {WITHOUT_SIGNALS}")
    aha_names, chn_names = finding_names(folder, ledger)
    categories = disease_categories(folder, ledger)
    ledger.found = len(rows)
    rows = _usable(rows, ledger)

    ids = [row["ecg_id"] for row in rows]
    patients = [patient_of(_unquoted(row["patient_id"]), row["ecg_id"], ledger, column="Patient_ID") for row in rows]
    days = [_days(row, ledger) for row in rows]
    sexes = [sex_of(_unquoted(row["gender"]), row["ecg_id"], ledger) for row in rows]
    samples = [_samples(row, ledger) for row in rows]
    aha = [tokens(row["aha_code"]) for row in rows]
    chn = [tokens(row["chn_code"]) for row in rows]
    report_unnamed(ids, aha, chn, aha_names, chn_names, ledger)
    every = {
        "labels_aha": named(aha, aha_names),
        "labels_chn": named(chn, chn_names),
        "labels_icd10": named([tokens(row["icd-10 code"]) for row in rows], categories or {}),
    }
    names, labels = {}, {}
    for column, published in published_label_names().items():
        names[column], labels[column] = choose_labels(every[column], published, min_count)
    if categories is None:
        # A list of classes cannot be counted, and a fold cannot be drawn, without knowing the diseases.
        names["labels_icd10"] = published_label_names()["labels_icd10"]
        ledger.problem(
            f"no {DISEASES} in {folder}: labels_icd10 is empty, and as the folds are stratified on it, every record "
            "has fold -1 and is in train",
            fix=FIX,
        )
        folds = [UNPLACED] * len(rows)
    else:
        # A record without a patient id is its own patient.
        units = [patient or f"record {record_id}" for patient, record_id in zip(patients, ids, strict=True)]
        folds = _folds(units, labels["labels_icd10"], names["labels_icd10"], sexes, days, n_folds, stratify_seed)
    paths = [str(folder / RECORDS / row["filename"]) for row in rows]
    return RecordIndex(
        record_id=ids,
        patient_id=patients,
        age=[None if own is None else own / DAYS_PER_YEAR for own in days],
        sex=sexes,
        strat_fold=folds,
        labels=labels,
        label_names=names,
        references=list(zip(ids, paths, samples, strict=True)),
        stamps=[] if metadata_only else [file_stamp(path) for path in paths],
        samples=[number or 0 for number in samples],
        extra={"findings": aha},
    )


def _folds(
    units: Sequence[str],
    labels: Sequence[Sequence[str]],
    names: Sequence[str],
    sexes: Sequence[str | None],
    days: Sequence[int | None],
    n_folds: int,
    seed: int,
) -> list[int]:
    """Folds by patient, stratified on the disease categories that are classes, sex and age band."""
    position = {name: number for number, name in enumerate(names)}
    joined = demographic_labels(
        [[position[label] for label in own] for own in labels],
        len(names),
        [sex == "male" for sex in sexes],
        days,
        BANDS_DAYS,
    )
    return grouped_folds(units, joined, range(len(names) + 8), n_folds, seed=seed)


def _read_attributes(folder: Path) -> list[dict[str, str]]:
    rows = [
        {name.casefold(): cell for name, cell in row.items()} for row in read_table(folder / ATTRIBUTES, (), fix=FIX)
    ]
    missing = [column for column in COLUMNS if column not in rows[0]]
    if missing:
        raise DataError(f"{folder / ATTRIBUTES}: no column {', '.join(missing)}; found {', '.join(rows[0])}", fix=FIX)
    return rows


def _usable(rows: list[dict[str, str]], ledger: Ledger) -> list[dict[str, str]]:
    """The rows with twelve leads, an id of their own and a path."""
    usable: dict[str, dict[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        record_id = row["ecg_id"] or f"(row {line})"
        try:
            if not row["ecg_id"]:
                raise RecordProblem("no ECG_ID", f"{ATTRIBUTES} row {line}")
            leads = whole_number(row["lead"])
            if leads == NINE_LEADS:
                ledger.exclude(record_id, "not 12 leads", f"Lead is {row['lead']!r}", by_design=True)
                continue
            if leads != LEADS:
                raise RecordProblem("unusable Lead", f"{row['lead']!r}, expected {LEADS} or {NINE_LEADS}")
            if not _PATH.fullmatch(row["filename"]):
                raise RecordProblem("unusable Filename", f"{row['filename']!r}, expected a path below {RECORDS}")
            if record_id in usable:
                raise RecordProblem("duplicate ECG_ID", f"{ATTRIBUTES} row {line}; the first row with this id is used")
        except RecordProblem as problem:
            ledger.exclude(record_id, problem.reason, problem.detail)
        else:
            usable[record_id] = row
    return list(usable.values())


def _unquoted(cell: str) -> str:
    return cell.strip("'").strip()


def _days(row: dict[str, str], ledger: Ledger) -> int | None:
    days = age_in_days(_unquoted(row["age"]))
    if days is None:
        ledger.defect(row["ecg_id"], "unknown age (stored as missing)", f"{row['age']!r}, expected days (572d)")
    return days


def _samples(row: dict[str, str], ledger: Ledger) -> int | None:
    samples = whole_number(row["sampling_point"])
    if samples is None or samples < 1:
        detail = f"Sampling_point is {row['sampling_point']!r}"
        ledger.defect(row["ecg_id"], f"no length in {ATTRIBUTES} (not checked)", detail)
        return None
    return samples
