"""CODE-15%'s table `exams.csv`, which is not in the order of the signals, and folds by patient."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from hf_ecg_bench.data.folds.patients import demographic_labels, grouped_folds
from hf_ecg_bench.data.folds.stratify import stratify_batches
from hf_ecg_bench.data.formats.csv_columns import cells, read_columns
from hf_ecg_bench.data.formats.csv_table import number, whole_number
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.sources.code.labels import label_columns, label_names

EXAMS = "exams.csv"
BATCH = 10_000
FIX = (
    "download exams.csv and the parts from https://zenodo.org/records/4916206, unpack the parts (exams_part0.zip, ...) "
    "and pass the folder that holds exams.csv and exams_part0.hdf5"
)
_FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_MISSING = frozenset({"", "nan", "none", "null"})


@dataclass(frozen=True)
class ExamTable:
    """Rows of `exams.csv`; every list has one entry per row.

    Attributes:
        exam_id: unique.
        patient: None where the cell is no number.
        age: as stored (years), None where it is no number.
        male: None where missing.
        labels: label ids in published order; None where a label's cell is empty: the exam counts as unlabelled.
        part: the file that is said to hold the signal.
        defects: row -> what is wrong in it, as kind and detail.
    """

    exam_id: list[int]
    patient: list[int | None]
    age: list[float | None]
    male: list[bool | None]
    labels: list[list[int] | None]
    part: list[str]
    defects: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def report(self, row: int, ledger: Ledger) -> None:
        """Count what is wrong in a row that is used."""
        for kind, detail in self.defects.get(row, ()):
            ledger.defect(str(self.exam_id[row]), kind, detail)


def read_exams(folder: Path, ledger: Ledger) -> ExamTable:
    """The rows that can be joined with signals; the others are excluded.

    Raises:
        DataError: no usable `exams.csv`.
    """
    columns = label_columns()
    text = read_columns(
        folder / EXAMS, ("exam_id", "age", "is_male", "patient_id", "trace_file", *columns.values()), fix=FIX
    )
    table = ExamTable([], [], [], [], [], [])
    lines: dict[int, int] = {}
    flags = zip(*(cells(text, column) for column in columns.values()), strict=True)
    plain = (cells(text, column) for column in ("exam_id", "patient_id", "age", "is_male", "trace_file"))
    for line, (exam, patient, age, male, part, own) in enumerate(zip(*plain, flags, strict=True), start=2):
        exam_id = whole_number(exam)
        if exam_id is None or exam_id in lines:
            ledger.found += 1
            reason = "no exam_id" if exam_id is None else "duplicate exam_id"
            used = "" if exam_id is None else f"; line {lines[exam_id]} is used"
            ledger.exclude(f"{exam or '(none)'} (line {line})", reason, f"{EXAMS} line {line}: {exam!r}{used}")
            continue
        lines[exam_id] = line
        problems = []
        if whole_number(patient) is None:
            problems.append(("no patient_id (the exam counts as a patient of its own)", repr(patient)))
        sex = _FLAGS.get(male.casefold())
        if sex is None and male.casefold() not in _MISSING:
            problems.append(("unknown sex (stored as missing)", f"is_male {male!r}, expected True or False"))
        values = [_FLAGS.get(cell.casefold()) for cell in own]
        if None in values:
            cell = own[values.index(None)]
            name = list(columns.values())[values.index(None)]
            problems.append(
                ("unusable label (the exam counts as unlabelled)", f"{name} {cell!r}, expected True or False")
            )
        if problems:
            table.defects[len(table.exam_id)] = problems
        table.exam_id.append(exam_id)
        table.patient.append(whole_number(patient))
        table.age.append(number(age))
        table.male.append(sex)
        table.labels.append(None if None in values else [label for label, value in enumerate(values) if value])
        table.part.append(part)
    return table


def exam_folds(table: ExamTable, left_out: Collection[int], n_folds: int, seed: int) -> list[int]:
    """The fold of each row, by patient: stratified on the six labels, sex and age in batches of 10,000 patients.

    Patients come in ascending order of id. A missing sex counts as male, a missing age as the oldest band.

    Args:
        left_out: rows that get fold -1 and take no part, as do unlabelled ones.
    """
    n = len(label_names())
    rows = [row for row, labels in enumerate(table.labels) if labels is not None and row not in left_out]
    # Rows without a patient come last, each as its own: no id of the release is so large.
    patients = [own if (own := table.patient[row]) is not None else (1 << 62) + row for row in rows]
    labels = demographic_labels(
        [table.labels[row] or [] for row in rows],
        n,
        [table.male[row] is not False for row in rows],
        [table.age[row] for row in rows],
    )
    placed = grouped_folds(patients, labels, range(n + 8), n_folds, seed=seed, algorithm=stratify_batches)
    folds = [-1] * len(table.exam_id)
    for row, fold in zip(rows, placed, strict=True):
        folds[row] = fold
    return folds
