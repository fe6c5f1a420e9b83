"""The records of a PTB folder: the release has no table, everything stands in the headers."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hf_ecg_bench.data.demographics import age_in_years, sex_of
from hf_ecg_bench.data.folds.patients import shuffled_folds
from hf_ecg_bench.data.formats.wfdb_reader import file_stamp, read_header
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.ptb.clinical import AGE, SEX, diagnoses, parse_summary
from hf_ecg_bench.data.vocabulary import keep_known, read_label_table
from hf_ecg_bench.errors import DataError

FIX = (
    "point --raw-dir at the folder of https://physionet.org/content/ptbdb/1.0.0/ that has the folders patient001, "
    "patient002, ..."
)
RECORDS = "RECORDS"
_PATIENT = re.compile(r"patient(\d+)")
_LISTED = re.compile(r"(patient\d+)/(\w+)")


def published_labels() -> tuple[str, ...]:
    """The 18 diagnoses of the benchmark, by number of records, descending."""
    return tuple(row["label"] for row in read_label_table("ptb"))


def index_ptb(
    root: str, *, min_count: int | None, n_folds: int, seed: int, metadata_only: bool, ledger: Ledger
) -> RecordIndex:
    """All records `patientNNN/<name>.hea`, patients and names ascending.

    Folds are drawn over all patients of the folder or of its `RECORDS` file, also those whose records cannot be used.

    Args:
        root: the folder of the release.
        min_count: None for the published labels; otherwise those that occur at least so often here, the most
            frequent first, equally frequent ones by name.
        n_folds, seed: of the folds.
        metadata_only: only headers are there.

    Raises:
        DataError: no record anywhere.
    """
    paths = _find_records(Path(root))
    ledger.found = len(paths)
    patients = [_number(path) for path in paths]
    fold_of = dict(zip(patients, shuffled_folds(patients, n_folds, seed), strict=True))

    seen: dict[str, str] = {}
    ids: list[str] = []
    owners: list[int] = []
    ages: list[float | None] = []
    sexes: list[str | None] = []
    labels: list[list[str]] = []
    references: list[tuple[str, str]] = []
    stamps: list[str] = []
    samples: list[int] = []
    for path, patient in zip(paths, patients, strict=True):
        record_id = path.name
        try:
            if record_id in seen:
                raise RecordProblem("duplicate record name", f"in {path.parent.name} and in {seen[record_id]}")
            header = read_header(str(path))
        except RecordProblem as problem:
            ledger.exclude(record_id, problem.reason, problem.detail)
            continue
        seen[record_id] = path.parent.name
        summary = parse_summary(header.comments)
        for kind, detail in summary.problems:
            ledger.defect(record_id, kind, detail)
        ids.append(record_id)
        owners.append(patient)
        ages.append(age_in_years(summary.values.get(AGE)))
        sexes.append(sex_of(summary.values.get(SEX), record_id, ledger))
        labels.append(diagnoses(summary.values))
        references.append((record_id, str(path)))
        stamps.append(f".hea:{os.path.getsize(f'{path}.hea')}" if metadata_only else file_stamp(str(path)))
        samples.append(header.samples or 0)

    names = published_labels() if min_count is None else frequent_labels(labels, min_count)
    return RecordIndex(
        record_id=ids,
        patient_id=[str(patient) for patient in owners],
        age=ages,
        sex=sexes,
        strat_fold=[fold_of[patient] for patient in owners],
        labels={"labels": keep_known(labels, names)},
        label_names={"labels": names},
        references=references,
        stamps=stamps,
        samples=samples,
    )


def frequent_labels(lists: Sequence[Sequence[str]], min_count: int) -> tuple[str, ...]:
    """Labels that occur at least `min_count` times, the most frequent first, equally frequent ones by name."""
    counts = Counter(label for labels in lists for label in labels)
    return tuple(sorted((label for label in counts if counts[label] >= min_count), key=lambda x: (-counts[x], x)))


def _find_records(root: Path) -> list[Path]:
    """Paths without extension: headers in the patients' folders, and what `RECORDS` lists, found or not."""
    folders = [folder for folder in root.iterdir() if _PATIENT.fullmatch(folder.name) and folder.is_dir()]
    found = {path.with_suffix("") for folder in folders for path in folder.glob("*.hea")}
    if not found:
        raise DataError(f"no record patientNNN/NAME.hea in {root}", fix=FIX)
    if (root / RECORDS).is_file():
        text = (root / RECORDS).read_text(encoding="utf-8", errors="replace")
        found |= {root / match[0] for line in text.split() if (match := _LISTED.fullmatch(line))}
    return sorted(found, key=lambda path: (_number(path), path.parent.name, path.name))


def _number(path: Path) -> int:
    return int(path.parent.name.removeprefix("patient"))
