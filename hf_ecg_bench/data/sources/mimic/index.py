"""MIMIC's records: the ECGs that the benchmark uses, with codes, targets, and where their signals are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from hf_ecg_bench.data.demographics import age_in_years, sex_of
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.mimic.charted import no_charted_values, read_charted
from hf_ecg_bench.data.sources.mimic.diagnoses import choose_codes, label_lists
from hf_ecg_bench.data.sources.mimic.items import read_items
from hf_ecg_bench.data.sources.mimic.joins import acute_targets, ecg_feature_targets
from hf_ecg_bench.data.sources.mimic.laboratory import LaboratoryEvents, laboratory_targets
from hf_ecg_bench.data.sources.mimic.layout import STUDIES, Tables, find_signals, find_tables
from hf_ecg_bench.data.sources.mimic.names import (
    SEX,
    acute_names,
    published_codes,
    regression_names,
    target_specs,
)
from hf_ecg_bench.data.sources.mimic.nearest import Moments
from hf_ecg_bench.data.sources.mimic.signals import Reference, find_records
from hf_ecg_bench.data.sources.mimic.studies import REASONS, Studies, read_studies
from hf_ecg_bench.data.sources.mimic.targets import TargetMatrix
from hf_ecg_bench.data.sources.mimic.vitals import (
    biometric_targets,
    read_biometrics,
    read_vitals,
    vital_targets,
)

LABELS = "labels"
VALIDATION_FOLD, TEST_FOLD = 18, 19
_SEX = {"f": 0.0, "female": 0.0, "m": 1.0, "male": 1.0}


def index_mimic(
    root: str,
    ledger: Ledger,
    *,
    icd_min_count: int | None,
    chart_label_min_count: int,
    tables: Literal["all", "available"],
    metadata_only: bool,
) -> RecordIndex:
    """All ECGs that a target uses, in table order.

    Args:
        root: the folder with all tables and the signals.
        icd_min_count: None for the published codes; else those of at least so many ECGs of the table.
        chart_label_min_count: charted labels with fewer rows are left out.
        tables: `available` to build without some of the tables.
        metadata_only: signals are not looked for.

    Raises:
        DataError: missing or unusable tables or signals.
    """
    folder = Path(root)
    found = find_tables(folder, tables, ledger)
    source = None if metadata_only else find_signals(folder)
    studies = read_studies(found[STUDIES])
    codes = choose_codes(studies.diagnoses, published_codes(), icd_min_count)
    used = np.flatnonzero(studies.unused < 0)
    ledger.found = len(studies)
    for number, reason in enumerate(REASONS):
        for study in studies.study[studies.unused == number].tolist():
            ledger.exclude(str(study), reason, "", by_design=True)

    columns = _columns(studies, used, found, chart_label_min_count, ledger)
    records: list[tuple[Reference, str]] | None = None
    if source is not None:
        wanted = dict(zip(studies.study[used].tolist(), studies.subject[used].tolist(), strict=True))
        there = find_records(source, wanted, ledger)
        kept = np.isin(studies.study[used], list(there))
        used, columns = used[kept], {name: values[kept] for name, values in columns.items()}
        records = [there[study] for study in studies.study[used].tolist()]
    _report_empty(columns, studies.strat_fold[used], ledger)
    return _index(studies, used, codes, columns, records, ledger)


def _index(
    studies: Studies,
    used: np.ndarray,
    codes: tuple[str, ...],
    columns: Mapping[str, np.ndarray],
    records: list[tuple[Reference, str]] | None,
    ledger: Ledger,
) -> RecordIndex:
    ids = [str(study) for study in studies.study[used].tolist()]
    labels = label_lists(studies.diagnoses, codes, used)
    genders = studies.gender[used].tolist()
    order = (*acute_names(), SEX, *regression_names())
    matrix = TargetMatrix(labels, len(codes), [columns[name] for name in order])
    return RecordIndex(
        record_id=ids,
        patient_id=[str(subject) for subject in studies.subject[used].tolist()],
        age=[age_in_years(age) for age in studies.age[used].tolist()],
        sex=[sex_of(gender, record_id, ledger) for gender, record_id in zip(genders, ids, strict=True)],
        strat_fold=studies.strat_fold[used].tolist(),
        labels={LABELS: [[codes[number] for number in own] for own in labels]},
        label_names={LABELS: codes},
        references=[Reference(name, "") for name in ids] if records is None else [item for item, _ in records],
        stamps=[] if records is None else [stamp for _, stamp in records],
        targets=matrix,
        target_specs=target_specs(codes),
    )


def _columns(
    studies: Studies, used: np.ndarray, tables: Tables, chart_label_min_count: int, ledger: Ledger
) -> dict[str, np.ndarray]:
    """All targets but the codes, by name; NaN where a table is not there."""
    subjects = np.unique(studies.subject)
    moments = Moments(studies.subject[used], studies.time[used])
    columns = {name: np.full(len(used), np.nan) for name in (*acute_names(), SEX, *regression_names())}
    columns[SEX] = np.array([_SEX.get(gender.strip().casefold(), np.nan) for gender in studies.gender[used].tolist()])
    columns["age"] = studies.age[used]
    if tables.have("mds_ed"):
        columns |= acute_targets(tables["mds_ed"], studies, used, ledger)
    if tables.have("machine_measurements"):
        columns |= ecg_feature_targets(tables["machine_measurements"], studies, used, ledger)
    charted = no_charted_values(moments)
    if tables.have("chartevents", "d_items"):
        charted = read_charted(tables["chartevents"], tables["d_items"], subjects, moments, chart_label_min_count)
    if tables.have("omr"):
        columns |= biometric_targets(read_biometrics(tables["omr"], moments, ledger), charted, moments.points)
    if tables.have("vitalsign"):
        columns |= vital_targets(read_vitals(tables["vitalsign"], moments), charted, moments.points)
    if tables.have("labevents", "d_labitems"):
        events = LaboratoryEvents(tables["labevents"], subjects, moments)
        columns |= laboratory_targets(events, read_items(tables["d_labitems"]), charted, moments.points)
    return columns


def _report_empty(columns: Mapping[str, np.ndarray], fold: np.ndarray, ledger: Ledger) -> None:
    """A target without any value in training cannot be learned; its values stay as they are."""
    training = fold < VALIDATION_FOLD
    empty = [name for name in regression_names() if not np.isfinite(columns[name][training]).any()]
    if empty and training.any():
        ledger.problem(
            f"no value for training of {', '.join(empty)}: scores of these targets mean nothing",
            fix="build from the complete tables",
        )
