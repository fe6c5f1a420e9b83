"""The result of one run, as written to result.json. Versioned: every file of an earlier version still loads.

A change that an older file does not meet gets a new `SCHEMA_VERSION`, a step in `results.migrations`, and a file of the
old version in the tests.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.files import write_json
from hf_ecg_bench.results.migrations import migrate

SCHEMA_VERSION = 2
RESULT_FILE = "result.json"
PREDICTIONS_FILE = "predictions.parquet"
EXAMPLES_FILE = "examples.npz"
MODEL_FOLDER = "model"


@dataclass(frozen=True)
class Result:
    """One finished run: what was run, on what, with what outcome and cost.

    Attributes:
        task: task id; `dataset`: {id, source, digest, records: {train, validation, test}}.
        model: {id, source, digest}; mode, protocol, preprocessing, fraction, seed: the rest of the identity.
        hyperparameters: every value that the training used.
        signal: the conversion plan from the dataset's signal to the model's input, as a dict with `steps`.
        selection: {metric, best_epoch, best_value, training: metrics on its training records}, and where there was
            more to choose or to say: epochs, stopped (why early), trials (of a search of learning rates), strength.
        metrics: what `evaluation.summary.summarise` returns: {n, metrics: {macro_auroc: {value, low, high}, ...},
            targets: {name: {kind, auroc | mae: {value, low, high}, ...}}, resampling: {...}}.
        history: one dict per epoch: {epoch, train_loss, validation_<metric>, ...}; of the solver lbfgs one per strength
            of the penalty, with that `strength`, numbered by `epoch`.
        cost: what `training.costs.measure.cost_of` returns: numbers (train_seconds, evaluate_seconds,
            peak_memory_bytes, parameters, trainable_parameters, records_per_second, training_records_per_second,
            latency_ms, training_flops, energy_joules), details by group (phases, memory, flops, latency, energy), and
            in words what they cover (meaning) and why one is missing (reasons).
        environment: versions, device, git commit.
        features: where a head's training inputs came from, where its backbone is frozen: {source: stored or reencoded,
            crops, ...}.
        subset: {rule, records, digest, file} of the training records that were used; empty where all were.
        slices: {task id: {metrics, n_excluded}} of the tasks that are parts of this one's outputs
            (`Task.trained_as`); n_excluded counts test records without any of the part's targets.
        trained_as: the task that was run, where this is one of its slices (`results.slices`).
        subgroups: {age | sex: {group: {n, n_patients, metrics, difference, ...}}} on the test records
            (`robustness.subgroups.subgroup_scores`).
        warnings: what a reader must know (undefined labels, few positives, small training set).
    """

    task: str
    dataset: dict[str, Any]
    model: dict[str, Any]
    mode: str
    protocol: str
    preprocessing: str
    fraction: float
    seed: int
    hyperparameters: dict[str, Any]
    signal: dict[str, Any]
    selection: dict[str, Any]
    metrics: dict[str, Any]
    history: list[dict[str, Any]]
    cost: dict[str, Any]
    environment: dict[str, Any]
    features: dict[str, Any] = field(default_factory=dict)
    subset: dict[str, Any] = field(default_factory=dict)
    slices: dict[str, Any] = field(default_factory=dict)
    subgroups: dict[str, Any] = field(default_factory=dict)
    trained_as: str | None = None
    warnings: list[str] = field(default_factory=list)
    status: str = "complete"
    schema_version: int = SCHEMA_VERSION

    def save(self, folder: Path) -> Path:
        """Write result.json into `folder`, atomically."""
        return write_json(folder / RESULT_FILE, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Result:
        """Read a result.json (or the folder that holds one).

        Raises:
            PredictionsError: no such file, not JSON, a newer schema version, or missing fields.
        """
        file = path / RESULT_FILE if path.is_dir() else path
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise PredictionsError(
                f"no {RESULT_FILE} in {path}", fix="hf-ecg-bench run ... --output-dir " + str(path)
            ) from error
        except (ValueError, RecursionError) as error:
            raise PredictionsError(f"{file} is not JSON: {error}", fix="run again into an empty folder") from error
        version = raw.get("schema_version") if isinstance(raw, dict) else None
        if type(version) is not int or version < 1:
            raise PredictionsError(
                f"{file}: expected a schema_version from 1 to {SCHEMA_VERSION}, found {version!r:.60}",
                fix="give a result.json that `hf-ecg-bench run` wrote",
            )
        if version > SCHEMA_VERSION:
            raise PredictionsError(
                f"{file}: schema version {version}, this program reads up to {SCHEMA_VERSION}",
                fix="pip install --upgrade hf-ecg-bench",
            )
        raw = migrate(raw, SCHEMA_VERSION)
        known = {item.name for item in fields(cls)}
        optional = {
            item.name for item in fields(cls) if item.default is not MISSING or item.default_factory is not MISSING
        }
        missing = sorted(known - raw.keys() - optional)
        if missing:
            raise PredictionsError(f"{file}: missing {', '.join(missing)}", fix="run again into an empty folder")
        return cls(**{key: value for key, value in raw.items() if key in known})
