"""Which of the training records are used, where not all of them are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hf_ecg_bench.data.folds.label_efficiency import (
    RATIOS,
    SETTINGS,
    LabelEfficiencySetting,
    label_efficiency_subset,
)
from hf_ecg_bench.data.folds.nested import nested_subset
from hf_ecg_bench.data.folds.patients import BANDS_DAYS, BANDS_YEARS, DEMOGRAPHIC_IDS, demographic_labels
from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.files import atomic_path
from hf_ecg_bench.tasks.targets import TargetColumns
from hf_ecg_bench.training.records.of_task import SplitRecords, TaskRecords
from hf_ecg_bench.training.spec import RunSpec

SUBSET_FILE = "training_records.parquet"
# More labels than this cost time and gain nothing: it is the rare ones whose shares a plain draw would miss.
MOST_LABELS = 100
_BLOCK = 4096  # records looked at together: a thousand targets of them are 16 MB
_CHILDREN = tuple(days / 365 for days in BANDS_DAYS)


def choose_subset(records: TaskRecords, spec: RunSpec) -> dict[str, Any]:
    """Leave the part that the run asks for in `records`.

    Returns:
        What identifies the subset, for the result: {rule, fraction, seed, limit, records, patients, digest, file} and
        for the published rule {setting, labels, validation}; empty where all records are used.

    Raises:
        TrainingError: a fraction that the published rule does not have, or nothing is left.
    """
    splits = records.splits
    facts: dict[str, Any] = {"rule": "limit", "fraction": spec.fraction, "seed": spec.seed, "limit": spec.limit}
    if spec.subset == "published":
        facts |= {"rule": "published", "seed": 0, **published_rule(spec.task)}
        for name in ("train", "validation"):
            splits[name] = published_subset(splits[name], records.columns, spec.task, spec.fraction)
        facts["validation"] = _identity(splits["validation"])
    elif spec.fraction < 1:
        facts["rule"] = "nested"
        splits["train"] = nested_records(splits["train"], records.columns, spec.fraction, spec.seed)
    limited = limited_records(splits["train"], spec.limit, spec.seed)
    if facts["rule"] == "limit" and limited is splits["train"]:
        return {}
    splits["train"] = limited
    return {**facts, **_identity(limited), "file": SUBSET_FILE}


def write_subset(folder: Path, records: TaskRecords, subset: dict[str, Any]) -> None:
    """Which records a run used: columns split, record_id, patient_id; atomically, nothing where it used all."""
    if not subset:
        return
    used = [name for name in ("train", "validation") if name == "train" or name in subset]
    columns: dict[str, list[str | None]] = {"split": [], "record_id": [], "patient_id": []}
    for name in used:
        split = records.splits[name]
        columns["split"] += [name] * len(split.records)
        columns["record_id"] += split.record_id.tolist()
        columns["patient_id"] += split.patient_id.tolist()
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    with atomic_path(folder / subset["file"]) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def limited_records(split: SplitRecords, limit: int, seed: int) -> SplitRecords:
    """At most `limit` records, drawn without looking at anything; all of them for 0."""
    if not 0 < limit < len(split.records):
        return split
    order = np.random.default_rng((seed, 0x5EED)).permutation(len(split.records))
    return split.take(np.sort(order[:limit]))


def nested_records(split: SplitRecords, columns: TargetColumns, fraction: float, seed: int) -> SplitRecords:
    """About `fraction` of the records, by whole patients; smaller fractions of a seed lie inside larger ones.

    Stratified by sex (male or not), age band (children's bands where nobody is an adult; an unknown age counts as the
    oldest) and the yes/no targets that are 1: all of them, or the `MOST_LABELS` rarest that occur.
    """
    own = _rarest_labels(split.targets, ~columns.is_regression)
    known = split.age[np.isfinite(split.age)]
    labels = demographic_labels(
        own,
        MOST_LABELS,
        (split.sex == "male").tolist(),
        [None if np.isnan(age) else float(age) for age in split.age],
        _CHILDREN if len(known) and known.max() < BANDS_YEARS[0] else BANDS_YEARS,
    )
    return split.take(
        nested_subset(split.patient_id.tolist(), labels, MOST_LABELS + DEMOGRAPHIC_IDS, fraction, seed=seed)
    )


def published_subset(split: SplitRecords, columns: TargetColumns, task: str, ratio: float) -> SplitRecords:
    """One record per patient, of these a stratified share, as `data.folds.label_efficiency` draws it.

    A task with a published setting is stratified on that setting's classes, another one on all its yes/no targets.

    Raises:
        TrainingError: the ratio is not a published one, or nothing is left.
    """
    if ratio not in RATIOS:
        raise TrainingError(
            f"--subset published --fraction {ratio:g}: expected one of 1, 1/2, 1/4, ... {RATIOS[-1]:g}",
            fix="another --fraction, or --subset nested, which takes any",
        )
    setting = _setting(task)
    positive = [np.flatnonzero(row == 1) for row in split.targets[:, ~columns.is_regression]]
    names = [name for name, kind in zip(columns.names, columns.kinds, strict=True) if kind == "binary"]
    labels: list[list[str] | None] = [[names[label] for label in own] for own in positive]
    if setting is not None:
        labels = [setting.labels_of(own or []) for own in labels]
    kept = np.array([position for position, own in enumerate(labels) if own is not None], np.int64)
    chosen = label_efficiency_subset(
        split.patient_id[kept].tolist(),
        [own for own in labels if own is not None],
        split.sex[kept].tolist(),
        [None if np.isnan(age) else float(age) for age in split.age[kept]],
        ratio,
    )
    if not chosen:
        raise TrainingError(
            f"--subset published --fraction {ratio:g} leaves no record of a split with {len(split.records)}",
            fix="a larger --fraction, or the complete dataset",
        )
    return split.take(np.sort(kept[chosen]))


def published_rule(task: str) -> dict[str, Any]:
    """What the published rule looks at in this task: {setting, labels}; None for a task that it was not made for."""
    setting = _setting(task)
    return {
        "setting": setting.id if setting else None,
        "labels": list(setting.classes) if setting and setting.classes else None,
    }


def _setting(task: str) -> LabelEfficiencySetting | None:
    return next((setting for setting in SETTINGS.values() if setting.task == task), None)


def _rarest_labels(targets: np.ndarray, yes_no: np.ndarray) -> list[list[int]]:
    """Per record the numbers 0 .. MOST_LABELS - 1 of its positive labels among the rarest ones."""
    columns = np.flatnonzero(yes_no)
    count = np.zeros(len(columns), np.int64)
    for start in range(0, len(targets), _BLOCK):
        count += (targets[start : start + _BLOCK, yes_no] == 1).sum(axis=0)
    rarest = columns[count > 0][np.argsort(count[count > 0], kind="stable")[:MOST_LABELS]]
    labels: list[list[int]] = [[] for _ in range(len(targets))]
    for number, column in enumerate(np.sort(rarest)):
        for record in np.flatnonzero(targets[:, column] == 1).tolist():
            labels[record].append(number)
    return labels


def _identity(split: SplitRecords) -> dict[str, Any]:
    """Counts, and a digest of the sorted ids."""
    known = {patient for patient in split.patient_id if patient is not None}
    unknown = sum(patient is None for patient in split.patient_id)
    digest = hashlib.sha256("\n".join(sorted(split.record_id.tolist())).encode()).hexdigest()
    return {"records": len(split.records), "patients": len(known) + unknown, "digest": digest}
