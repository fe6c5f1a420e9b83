"""SPH's table of records: statements, patients, folds. Signals are read by `signals`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from hf_ecg_bench.data.access import WITHOUT_SIGNALS
from hf_ecg_bench.data.demographics import age_in_years, patient_of, sex_of
from hf_ecg_bench.data.folds.patients import demographic_labels, grouped_folds
from hf_ecg_bench.data.formats.csv_table import read_table, whole_number
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.sph.authors_split import authors_split
from hf_ecg_bench.data.vocabulary import choose_labels, read_label_table
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.files import size_and_time

METADATA = "metadata.csv"
RECORDS = "records"
COLUMNS = ("ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex", "N")
FIX = (
    "download metadata.csv and records.tar.gz from https://doi.org/10.6084/m9.figshare.c.5779802.v1, unpack the "
    "records (tar -xf records.tar.gz: it is not compressed), and pass the folder that holds metadata.csv and records/"
)

N_FOLDS = 10
STRATIFY_SEED = 0
AUTHORS_SEED = 73

# An id is also a file's name.
_ID = re.compile(r"\w+")


@lru_cache(maxsize=1)
def published_codes() -> tuple[str, ...]:
    """The 35 primary codes of the benchmark, sorted as text."""
    return tuple(sorted(row["code"] for row in read_label_table("sph") if row["in_benchmark"] == "1"))


@lru_cache(maxsize=1)
def known_codes() -> tuple[frozenset[str], frozenset[str]]:
    """The 44 primary codes and the 15 modifiers of the release."""
    primary = frozenset(row["code"] for row in read_label_table("sph"))
    return primary, frozenset(row["code"] for row in read_label_table("sph_modifiers"))


def split_statements(cell: str) -> list[str]:
    """The statements of an `AHA_Code` cell, `60+310;1` -> `["60+310", "1"]`, in order, repeats kept."""
    return [statement for part in cell.split(";") if (statement := part.strip())]


def index_sph(
    root: str,
    ledger: Ledger,
    *,
    min_count: int | None = None,
    n_folds: int = N_FOLDS,
    stratify_seed: int = STRATIFY_SEED,
    orig_fold_seed: int = AUTHORS_SEED,
    metadata_only: bool = False,
) -> RecordIndex:
    """All rows of `metadata.csv`, in its order.

    Labels and folds come from the table alone, so they do not depend on which signal files are there.

    Args:
        root: the folder with `metadata.csv` and `records/`.
        ledger: rows left out and codes that are not understood are named here.
        min_count: None for the published labels; otherwise those that occur at least so often here.
        n_folds: number of folds; the last is the test fold, the one before it the validation fold.
        stratify_seed: of the draws among equally good folds.
        orig_fold_seed: of the authors' own split.
        metadata_only: leave the signal files alone.

    Raises:
        DataError: no or an unusable table; no `records` folder, unless only metadata are wanted.
    """
    folder = Path(root)
    rows = read_table(folder / METADATA, COLUMNS, fix=FIX)
    records = folder / RECORDS
    if not metadata_only and not records.is_dir():
        raise DataError(f"no folder {RECORDS} in {folder}: the signals are missing", fix=f"{FIX}; {WITHOUT_SIGNALS}")
    ledger.found = len(rows)
    rows = _usable(rows, ledger)

    ids = [row["ECG_ID"] for row in rows]
    patients = [patient_of(row["Patient_ID"], row["ECG_ID"], ledger, column="Patient_ID") for row in rows]
    ages = [_age(row, ledger) for row in rows]
    sexes = [sex_of(row["Sex"], row["ECG_ID"], ledger) for row in rows]
    samples = [_samples(row, ledger) for row in rows]
    statements = [split_statements(row["AHA_Code"]) for row in rows]
    primary = [_primary(record_id, own, ledger) for record_id, own in zip(ids, statements, strict=True)]
    names, labels = choose_labels(primary, published_codes(), min_count)
    # A record without a patient id is its own patient.
    units = [patient or f"record {record_id}" for patient, record_id in zip(patients, ids, strict=True)]
    paths = [str(records / f"{record_id}.h5") for record_id in ids]
    return RecordIndex(
        record_id=ids,
        patient_id=patients,
        age=ages,
        sex=sexes,
        strat_fold=_folds(units, statements, sexes, ages, n_folds, stratify_seed),
        labels={"labels": labels},
        label_names={"labels": names},
        references=list(zip(ids, paths, samples, strict=True)),
        stamps=[] if metadata_only else [_stamp(path) for path in paths],
        samples=[0 if number is None else number for number in samples],
        extra={"statements": statements, "orig_split": list(authors_split(units, orig_fold_seed))},
    )


def _folds(
    units: Sequence[str],
    statements: Sequence[Sequence[str]],
    sexes: Sequence[str | None],
    ages: Sequence[float | None],
    n_folds: int,
    seed: int,
) -> list[int]:
    """Folds by patient, stratified on all statements with their modifiers, sex and age band."""
    names = sorted({statement for own in statements for statement in own})
    position = {name: number for number, name in enumerate(names)}
    labels = demographic_labels(
        [[position[statement] for statement in own] for own in statements],
        len(names),
        [sex == "male" for sex in sexes],
        ages,
    )
    return grouped_folds(units, labels, range(len(names) + 8), n_folds, seed=seed)


def _usable(rows: list[dict[str, str]], ledger: Ledger) -> list[dict[str, str]]:
    usable: dict[str, dict[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        record_id = row["ECG_ID"]
        if not _ID.fullmatch(record_id):
            ledger.exclude(f"(line {line})", "unusable ECG_ID", f"{METADATA} line {line}: {record_id!r}")
        elif record_id in usable:
            detail = f"{METADATA} line {line}; the first row with this id is used"
            ledger.exclude(record_id, "duplicate ECG_ID", detail)
        else:
            usable[record_id] = row
    return list(usable.values())


def _primary(record_id: str, statements: Sequence[str], ledger: Ledger) -> list[str]:
    """The primary codes of a record's statements, repeats kept."""
    codes, modifiers = known_codes()
    if not statements:
        ledger.defect(record_id, "no AHA statement (kept without labels)", "AHA_Code is empty")
    primary = []
    for statement in statements:
        code, *rest = statement.split("+")
        if code in codes:
            primary.append(code)
        else:
            ledger.defect(record_id, "unknown AHA code (no label)", f"{statement!r}: {code!r} is no primary statement")
        for modifier in rest:
            if modifier not in modifiers:
                ledger.defect(record_id, "unknown AHA modifier (kept)", f"{statement!r}: {modifier!r} is no modifier")
    return primary


def _age(row: dict[str, str], ledger: Ledger) -> float | None:
    age = age_in_years(row["Age"])
    if age is None:
        ledger.defect(row["ECG_ID"], "unknown age (stored as missing)", repr(row["Age"]))
    return age


def _samples(row: dict[str, str], ledger: Ledger) -> int | None:
    samples = whole_number(row["N"])
    if samples is None or samples < 1:
        ledger.defect(row["ECG_ID"], "no length in metadata.csv (not checked)", f"N is {row['N']!r}")
        return None
    return samples


def _stamp(path: str) -> str:
    """Size and time of a record's file; empty where it is not there, which `read` will say."""
    try:
        return size_and_time(os.stat(path))
    except OSError:
        return ""
