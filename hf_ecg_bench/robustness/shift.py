"""A finished run tested on another dataset, on the targets that both annotate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.data.load import PreparedDataset
from hf_ecg_bench.errors import DataError, some
from hf_ecg_bench.evaluation.estimates import estimate
from hf_ecg_bench.evaluation.intervals import percentile_interval, two_sided_p
from hf_ecg_bench.evaluation.resampling import draw_resamples, known_groups
from hf_ecg_bench.evaluation.scores import MIN_SUPPORT
from hf_ecg_bench.evaluation.summary import CONFIDENCE, summarise
from hf_ecg_bench.results.predictions import Predictions, make_predictions
from hf_ecg_bench.robustness.finished import FinishedRun, long_enough
from hf_ecg_bench.robustness.leakage import pretraining_warnings, seen_recordings, unseen
from hf_ecg_bench.robustness.shared_targets import (
    SharedTarget,
    at_home,
    is_same_source,
    label_column,
    require_shared,
    targets_there,
)
from hf_ecg_bench.tasks import Task
from hf_ecg_bench.training.records.of_task import TaskRecords, only_test_records

FEW_RECORDS = 200
_SEED_HOME, _SEED_THERE = 0, 1  # two test sets, two independent draws


@dataclass(frozen=True)
class Side:
    """One test set's shared targets.

    Attributes:
        targets, predictions: (records, shared targets).
        patients: (records,) ids or None.
    """

    targets: np.ndarray
    predictions: np.ndarray
    patients: np.ndarray


def score_elsewhere(
    run: FinishedRun, prepared: PreparedDataset, home: Predictions, n_resamples: int
) -> tuple[dict[str, Any], Predictions]:
    """Score a run on the test split of another dataset.

    The test split only: it is what models of that dataset are scored on, so that the numbers can be laid side by side.

    Args:
        prepared: the other dataset.
        home: the run's own predictions.

    Returns:
        The content of evaluation.json, and the predictions of the shared targets there.

    Raises:
        DataError: no shared target, no usable record, or none of the targets is defined on both test sets.
        ContractError: the signals do not fit the model.
    """
    dataset = str(prepared.info["dataset"])
    records, shared = records_there(run, prepared)
    excluded = records.excluded
    plan = run.plan(records, dataset)
    split = long_enough(records.splits["test"], plan, excluded)
    seen, not_checked = seen_recordings(str(run.result.dataset.get("source")), prepared.source)
    new = unseen(split.record_id, seen)
    if len(new) < len(split.records):
        excluded["test: recordings that the model was trained or selected on"] = len(split.records) - len(new)
        split = split.take(_some(new, dataset, run))
    outputs = run.predict(split.view, plan, split)
    kinds = ["binary"] * len(shared) if shared else list(run.kinds)
    names = [target.id for target in shared] if shared else list(run.names)
    if shared:
        there = Side(split.targets, at_home(outputs, run.names, shared), split.patient_id)
        at = Side(
            at_home(home.targets, home.names, shared), at_home(home.predictions, home.names, shared), home.patient_id
        )
    else:
        there = Side(run.standardised(split.targets), outputs, split.patient_id)
        at = Side(home.targets, home.predictions, home.patient_id)
    scored = _defined(there, kinds) & _defined(at, kinds)
    if not scored.any():
        raise DataError(
            f"none of the {len(names)} targets that task {run.task.id} shares with {dataset} has positive and negative "
            f"records in both test sets ({len(split.records)} records there)",
            fix="prepare the complete dataset, or a larger part of it",
        )
    columns = np.flatnonzero(scored)
    both: dict[str, Any] = {"n_resamples": n_resamples, "undefined": "drop"}
    chosen = [names[c] for c in columns], [kinds[c] for c in columns]
    summaries = [
        summarise(
            side.targets[:, columns], side.predictions[:, columns], *chosen, groups=side.patients, seed=seed, **both
        )
        for side, seed in ((there, _SEED_THERE), (at, _SEED_HOME))
    ]
    content = {
        "kind": "shift",
        "dataset": {
            "id": dataset,
            "source": prepared.source,
            "digest": prepared.info["digest"],
            "options": prepared.info.get("options", {}),
            "split": "test",
            "records": len(split.records),
            "excluded": excluded,
        },
        "home": {"id": run.result.dataset.get("id"), "records": len(at.targets)},
        "signal": plan.to_dict(),
        "targets": {target.id: _explained(target) for target in shared},
        "not_scored": _not_scored(names, there, at, kinds, scored),
        "metrics": summaries[0],
        "metrics_home": summaries[1],
        "difference": _difference(there, at, columns, [kinds[c] for c in columns], n_resamples),
        "warnings": [
            *_small(summaries[0]),
            *pretraining_warnings(run.result, dataset),
            *([f"nobody looked for recordings that both datasets share: {not_checked}"] if not_checked else []),
        ],
    }
    return content, make_predictions(
        split.record_id.tolist(), split.patient_id.tolist(), there.targets, there.predictions, names, kinds
    )


def records_there(run: FinishedRun, prepared: PreparedDataset) -> tuple[TaskRecords, tuple[SharedTarget, ...]]:
    """The other dataset's test records with the shared targets.

    Where it has the task's own labels, all targets are the task's, and there are no shared ones to list.
    """
    dataset, columns = str(prepared.info["dataset"]), prepared.info["label_columns"]
    if is_same_source(run.task, dataset):
        own = Task(run.task.id, run.task.name, "", dataset, run.task.labels, run.task.classes, run.task.targets)
        records = only_test_records(prepared, own)
        if records.columns.names != run.names:
            raise DataError(
                f"{prepared.source} has other targets than {run.folder} predicts "
                f"({len(records.columns.names)} and {len(run.names)})",
                fix="prepare it without options that change its labels",
            )
        return records, ()
    column = label_column(list(columns))
    labels = list(columns[column]) if column is not None else []
    yes_no = [name for name, kind in zip(run.names, run.kinds, strict=True) if kind == "binary"]
    shared = require_shared(run.task, yes_no, dataset, labels)
    records = only_test_records(prepared, Task(dataset, dataset, "", dataset, labels=column))
    split = records.splits["test"]
    records.splits["test"] = split.with_targets(targets_there(split.targets, records.columns.names, shared))
    return records, shared


def _defined(side: Side, kinds: Sequence[str]) -> np.ndarray:
    """(targets,) whether there are positives and negatives, or any value."""
    t = side.targets
    yes_no = (t == 1).any(axis=0) & (t == 0).any(axis=0)
    return np.where([kind == "binary" for kind in kinds], yes_no, (~np.isnan(t)).any(axis=0))


def _not_scored(names: list[str], there: Side, at: Side, kinds: Sequence[str], scored: np.ndarray) -> dict[str, str]:
    """Name -> where positives or negatives are missing."""
    lacking = [~_defined(side, kinds) for side in (there, at)]
    places = {(True, False): "there", (False, True): "at home", (True, True): "there and at home"}
    return {
        name: f"no positive or no negative test record {places[bool(lacking[0][c]), bool(lacking[1][c])]}"
        for c, name in enumerate(names)
        if not scored[c]
    }


def _difference(there: Side, at: Side, columns: np.ndarray, kinds: list[str], n_resamples: int) -> dict[str, Any]:
    """{metric: {value, low, high, p}}: there minus at home, resampled independently of each other."""
    binary = np.array([kind == "binary" for kind in kinds])
    parts: list[tuple[str, Any, np.ndarray]] = []
    if binary.any():
        parts.append(("macro_auroc", "auroc", columns[binary]))
    if not binary.all():
        parts.append(("pooled_mae", "pooled_mae", columns[~binary]))
    found = {}
    for name, metric, chosen in parts:
        estimates = []
        for side, seed in ((there, _SEED_THERE), (at, _SEED_HOME)):
            resamples = draw_resamples(
                len(side.targets), n_resamples=n_resamples, seed=seed, groups=known_groups(side.patients)
            )
            estimates.append(estimate(metric, side.targets[:, chosen], side.predictions[:, chosen], resamples))
        gap = estimates[0].samples - estimates[1].samples
        low, high = percentile_interval(gap, CONFIDENCE)
        value = estimates[0].value - estimates[1].value
        found[name] = {"value": value, "low": float(low), "high": float(high), "p": float(two_sided_p(gap))}
    return found


def _small(summary: dict[str, Any]) -> list[str]:
    """What the number of records there says about the number that comes out."""
    found = []
    if summary["n"] < FEW_RECORDS:
        found.append(f"only {summary['n']} test records there: a check that things work, not a score")
    yes_no = {name: target for name, target in summary["targets"].items() if target["kind"] == "binary"}
    rare = [name for name, target in yes_no.items() if min(target["n_positive"], target["n_negative"]) < MIN_SUPPORT]
    if rare:
        found.append(
            f"{len(rare)} of {len(yes_no)} shared targets have fewer than {MIN_SUPPORT} positive or negative records "
            f"there; their intervals are unreliable: {some(rare, 8)}"
        )
    return found


def _explained(target: SharedTarget) -> dict[str, Any]:
    entry = asdict(target)
    return {
        "home": entry["home"],
        "present": entry["there"]["present"],
        "left_open": entry["there"]["unsure"],
        "opposed": entry["opposed"],
        "concepts": entry["concepts"],
    }


def _some(positions: np.ndarray, dataset: str, run: FinishedRun) -> np.ndarray:
    if not len(positions):
        raise DataError(
            f"every test record of {dataset} is a recording that {run.folder} was trained or selected on",
            fix="choose another dataset for --evaluate-on",
        )
    return positions
