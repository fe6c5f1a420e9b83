"""The MIMIC-IV-ECG tasks: one model is trained for all targets of the dataset, and each task is a slice of them."""

from __future__ import annotations

from hf_ecg_bench.data.vocabulary import read_label_table
from hf_ecg_bench.tasks.task import Task

_DATASET = "mimic_iv_ecg"
_JOINT = "mimic"
_SEX = ("sex",)
# Label table -> the columns of the targets' names and groups.
_TABLES = {"icd10": ("code", "group"), "acute": ("column", "task"), "regression": ("target", "task")}


def _targets(table: str, group: str | None = None) -> tuple[str, ...]:
    """The names in a label table of the dataset, in order: those of one group, or all."""
    name, grouped = _TABLES[table]
    rows = read_label_table(f"{_DATASET}_{table}")
    return tuple(row[name] for row in rows if group in (None, row[grouped].removeprefix(f"{_JOINT}_")))


def _slice(group: str, name: str, category: str, table: str) -> Task:
    """The targets of one group; numbers are judged by their error."""
    return Task(
        f"{_JOINT}_{group}",
        f"MIMIC ({name})",
        category,
        _DATASET,
        targets=_targets(table, group),
        selection="mae" if table == "regression" else "macro_auroc",
        trained_as=_JOINT,
    )


def mimic_tasks() -> tuple[Task, ...]:
    """The eleven published rows, in published order."""
    patient = "patient_characteristics"
    return (
        _slice("cardiac", "Cardiac", "cardiac_outcomes", "icd10"),
        _slice("noncardiac", "Non-cardiac", "noncardiac_outcomes", "icd10"),
        _slice("deterioration", "Deterioration", "acute_care", "acute"),
        _slice("mortality", "mortality", "acute_care", "acute"),
        _slice("icu", "ICU", "acute_care", "acute"),
        Task("mimic_sex", "MIMIC (Sex)", patient, _DATASET, targets=_SEX, trained_as=_JOINT),
        _slice("age", "Age", patient, "regression"),
        _slice("biometrics", "Biometrics", patient, "regression"),
        _slice("ecg_features", "ECG Features", patient, "regression"),
        _slice("lab_values", "Lab Values", patient, "regression"),
        _slice("vital_signs", "Vital Signs", patient, "regression"),
    )


def joint_mimic_task() -> Task:
    """All 1,127 targets at once, as the paper trains them; its parts are what is reported."""
    targets = (*_targets("icd10"), *_targets("acute"), *_SEX, *_targets("regression"))
    return Task(_JOINT, "MIMIC (all targets)", "joint_training", _DATASET, targets=targets, selection="composite")
