"""Targets from tables with a row per ECG, joined by study (never by row number): ECG features and acute care."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.formats.csv_stream import stream_csv
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.sources.mimic.layout import DAMAGED
from hf_ecg_bench.data.sources.mimic.names import acute_names
from hf_ecg_bench.data.sources.mimic.studies import Studies, unique_studies
from hf_ecg_bench.errors import DataError

AXES = {"P_wave_axis": "p_axis", "QRS_axis": "qrs_axis", "T_wave_axis": "t_axis"}
_TIMES = ("rr_interval", "qrs_onset", "qrs_end", "t_end")
# Outside these, a number is a code for "not measured" (29999, 32767, -32768, 65535).
_LARGEST_AXIS, _LONGEST = 360, 5000
_MISSING = -999
TOGETHER = "use releases that belong together"


def ecg_feature_targets(path: Path, studies: Studies, used: np.ndarray, ledger: Ledger) -> dict[str, np.ndarray]:
    """RR, QRS, QT and QTc (Bazett) in milliseconds and three axes in degrees, from `machine_measurements.csv`.

    Axes outside [-360, 360] and times outside [0, 5000] are missing, and with them what is made of them.

    Args:
        studies: all ECGs.
        used: rows of `studies` that the targets are for.

    Raises:
        DataError: unusable table, a study twice, or a study of another patient.
    """
    rows = _join(path, ("subject_id", "study_id"), (*_TIMES, *AXES.values()), studies, used, ledger, complete=True)
    for name in _TIMES:
        rows[name][~((rows[name] >= 0) & (rows[name] <= _LONGEST))] = np.nan
    for name in AXES.values():
        rows[name][~(np.abs(rows[name]) <= _LARGEST_AXIS)] = np.nan
    rr = np.where(rows["rr_interval"] == 0, np.nan, rows["rr_interval"])
    qt = rows["t_end"] - rows["qrs_onset"]
    return {
        "RR": rows["rr_interval"],
        "QRS": rows["qrs_end"] - rows["qrs_onset"],
        "QT": qt,
        "QTc": qt / np.sqrt(rr / 1000),
        **{target: rows[column] for target, column in AXES.items()},
    }


def acute_targets(path: Path, studies: Studies, used: np.ndarray, ledger: Ledger) -> dict[str, np.ndarray]:
    """The 15 flags of `mds_ed.csv`: 0, 1, or NaN for -999 and for ECGs that the table does not have.

    Raises:
        DataError: as `ecg_feature_targets`, or a flag of another value.
    """
    flags = _join(path, ("general_subject_id", "general_study_id"), acute_names(), studies, used, ledger)
    for name, values in flags.items():
        values[values == _MISSING] = np.nan
        wrong = ~(np.isnan(values) | (values == 0) | (values == 1))
        if wrong.any():
            raise DataError(f"{path}: {name} is {values[wrong][0]:g}, expected 0, 1 or {_MISSING}", fix=DAMAGED)
    return flags


def _join(
    path: Path,
    ids: tuple[str, str],
    columns: Sequence[str],
    studies: Studies,
    used: np.ndarray,
    ledger: Ledger,
    *,
    complete: bool = False,
) -> dict[str, np.ndarray]:
    """Columns of a table as (used,) float64 each, NaN where a study has no row.

    Args:
        ids: its columns of patient and study.
        complete: every used ECG should have a row; those without one are reported.
    """
    subject_name, study_name = ids
    order = np.argsort(studies.study)
    by_study = studies.study[order]
    # Row of the table of ECGs -> place among the used ones.
    place = np.full(len(studies), -1)
    place[used] = np.arange(len(used))
    result = {name: np.full(len(used), np.nan) for name in columns}
    seen: list[np.ndarray] = []
    unknown = 0
    types = dict.fromkeys(ids, pa.int64()) | dict.fromkeys(columns, pa.float64())
    for batch in stream_csv(path, types, fix=DAMAGED, required=ids):
        study = batch.column(study_name).to_numpy()
        subject = batch.column(subject_name).to_numpy()
        seen.append(study)
        row = order[np.searchsorted(by_study, study).clip(max=len(by_study) - 1)]
        known = studies.study[row] == study
        unknown += int((~known).sum())
        foreign = known & (studies.subject[row] != subject)
        if foreign.any():
            own = int(np.flatnonzero(foreign)[0])
            raise DataError(
                f"{path}: study {study[own]} is of patient {subject[own]}, in the table of ECGs it is of patient "
                f"{studies.subject[row[own]]}",
                fix=TOGETHER,
            )
        target = np.where(known, place[row], -1)
        at = np.flatnonzero(target >= 0)
        for name, values in result.items():
            values[target[at]] = batch.column(name).to_numpy(zero_copy_only=False)[at]
    unique_studies(np.concatenate(seen), path)
    if unknown:
        ledger.problem(f"{path.name}: rows about studies that the table of ECGs does not have: {unknown}", fix=TOGETHER)
    if complete:
        absent = studies.study[used][~np.isin(studies.study[used], np.concatenate(seen))]
        if len(absent):
            ledger.problem(f"{path.name}: ECGs without a row: {len(absent)}, first study {absent[0]}", fix=TOGETHER)
    return result
