"""Features of a task's training records from the feature store that `run --mode linear` uses. Imports torch.

The validation and test records' features are neither read nor computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.features.store import open_planned
from hf_ecg_bench.features.stored import StoredFeatures
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.build import build_model, conversion_plan
from hf_ecg_bench.training.digests import input_digests
from hf_ecg_bench.training.inputs import load
from hf_ecg_bench.training.spec import RunSpec
from hf_ecg_bench.training.stored import plan_splits

_SEED = 0


@dataclass(frozen=True, eq=False)
class TrainingFeatures:
    """Pooled features of training records, mean over each record's windows.

    Attributes:
        features: (records, dim) float32.
        targets: (records, targets), NaN where missing; regression targets z-scored.
        is_regression: (targets,) bool.
        patients: (records,) text; a record of an unknown patient has one of its own.
        model_digest: of the weights.
        store: digest of the feature store.
        available: how many training records there are.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.float32]
    is_regression: NDArray[np.bool_]
    patients: NDArray[np.str_]
    model_digest: str
    store: str
    available: int


def training_features(
    model: str, task: str, data: str | None, say: Say, *, records: int = 0, settings: dict[str, Any] | None = None
) -> TrainingFeatures:
    """The features, computed and stored where they are not there yet.

    Args:
        model: a model id, a folder, or a Hub id, as `run --model`.
        data: a prepared folder or dataset id; None: the task's own.
        records: use at most so many training records, drawn at random (0: all).
        settings: hyperparameters of the run that shall find the same store (`crops`, `feature_precision`, ...).

    Raises:
        EcgBenchError: the data or the weights are not there or do not go together.
    """
    # The convex solver reads the same store and does without a minimum of records.
    overrides = {"solver": "lbfgs", **(settings or {})}
    spec = RunSpec(model, task, "linear", Path("unused"), data=data, overrides=overrides)
    digests = input_digests(spec, _dataset_of(task))
    inputs = load(spec, digests)
    classifier = build_model(spec, inputs.mode, inputs.effect, inputs.records.columns, inputs.mean, inputs.std)
    plan = conversion_plan(inputs.records, classifier.config, inputs.prepared.source, spec.accept_unit)
    planned = plan_splits(inputs, classifier, plan)["train"]
    (stored,) = open_planned([planned], classifier, say)
    train = inputs.records.splits["train"]
    chosen = _chosen(len(train.records), records)
    patients = [f"known {name}" if name is not None else f"record {i}" for i, name in enumerate(train.patient_id)]
    return TrainingFeatures(
        _per_record(stored, len(train.records))[chosen], train.targets[chosen], inputs.records.columns.is_regression,
        np.array(patients)[chosen], str(digests["model"] or ""), planned.key.digest, len(train.records),
    )  # fmt: skip


def _dataset_of(task: str) -> str:
    from hf_ecg_bench.tasks import get_task

    return get_task(task).dataset


def _chosen(number: int, records: int) -> NDArray[np.int64]:
    if not 0 < records < number:
        return np.arange(number)
    return np.sort(np.random.default_rng(_SEED).permutation(number)[:records])


def _per_record(stored: StoredFeatures, number: int) -> NDArray[np.float32]:
    """Mean over the windows that cover a record once; crops would count parts of it twice."""
    windows = stored.only(stored.is_evaluation)
    first = np.searchsorted(windows.record, np.arange(number + 1))
    result = np.empty((number, *windows.shape), np.float32)
    for start in range(0, number, 1024):
        stop = min(start + 1024, number)
        rows = np.arange(first[start], first[stop])
        result[start:stop] = np.add.reduceat(windows.read(rows), first[start:stop] - first[start], axis=0)
        result[start:stop] /= np.diff(first[start : stop + 1])[:, None]
    return result
