"""The names of MIMIC's targets: ICD-10 codes, acute care, sex, and what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from hf_ecg_bench.data.spec import TargetSpec
from hf_ecg_bench.data.vocabulary import read_label_table

ID = "mimic_iv_ecg"
SEX = "sex"


@cache
def published_codes() -> tuple[str, ...]:
    """The 1,076 ICD-10 codes that at least 2,000 ECGs of the complete release have, sorted."""
    return tuple(row["code"] for row in read_label_table(f"{ID}_icd10"))


@cache
def acute_names() -> tuple[str, ...]:
    """The 15 columns of `mds_ed.csv` about deterioration, ICU stays and death."""
    return tuple(row["column"] for row in read_label_table(f"{ID}_acute"))


@cache
def regression_names(task: str | None = None) -> tuple[str, ...]:
    """The 35 regression targets in order, or those of one task (`mimic_lab_values`)."""
    return tuple(row["target"] for row in read_label_table(f"{ID}_regression") if task in (None, row["task"]))


@cache
def laboratory_items() -> tuple[int, ...]:
    """The item ids of `labevents` that are looked at, ascending."""
    return tuple(int(row["itemid"]) for row in read_label_table(f"{ID}_lab_items"))


def target_specs(codes: Sequence[str]) -> tuple[TargetSpec, ...]:
    """All targets in order: the ICD-10 codes, 15 of acute care, sex (1: male), 35 regression targets."""
    units = {row["target"]: row["unit"] for row in read_label_table(f"{ID}_regression")}
    binary = (*codes, *acute_names(), SEX)
    return tuple(TargetSpec(name, "binary") for name in binary) + tuple(
        TargetSpec(name, "regression", units[name]) for name in regression_names()
    )
