"""What a run computes: load, build, train, test. Everything random comes from the run's seed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.evaluation.parts import summarise_parts
from hf_ecg_bench.models.registry import model_id_of
from hf_ecg_bench.progress import quiet_libraries
from hf_ecg_bench.results.predictions import VALIDATION_FILE, make_predictions, write_predictions
from hf_ecg_bench.results.schema import MODEL_FOLDER, PREDICTIONS_FILE, Result
from hf_ecg_bench.results.slices import as_slices
from hf_ecg_bench.robustness.subgroups import subgroup_scores
from hf_ecg_bench.saying import Say
from hf_ecg_bench.tasks.version import task_version
from hf_ecg_bench.threads import numpy_on_one_thread
from hf_ecg_bench.training.caveats import caveats, feature_caveats
from hf_ecg_bench.training.costs.measure import cost_of
from hf_ecg_bench.training.costs.meter import COST_FILE, CostMeter
from hf_ecg_bench.training.determinism import deterministic
from hf_ecg_bench.training.environment import environment
from hf_ecg_bench.training.examples import choose_examples, write_examples
from hf_ecg_bench.training.faults import describe_fault
from hf_ecg_bench.training.feeding import Feed, make_feed
from hf_ecg_bench.training.fitted import Fitted
from hf_ecg_bench.training.fitting import fit
from hf_ecg_bench.training.inputs import Inputs, load
from hf_ecg_bench.training.loop.predicting import record_predictions
from hf_ecg_bench.training.loop.selection import selection_metrics
from hf_ecg_bench.training.protocol import Protocol
from hf_ecg_bench.training.records.subsets import write_subset
from hf_ecg_bench.training.spec import RunSpec
from hf_ecg_bench.training.surviving.sharding import gather_weights
from hf_ecg_bench.training.surviving.state import CHECKPOINTS

_BOOTSTRAP_SEED = 0  # one for all runs of a task, whatever their training seed: their intervals share the resamples


def execute(
    spec: RunSpec, digests: dict[str, str | None], say: Say, *, write: bool, command: str | None = None
) -> Result:
    """Compute the run and, in the writing process, store predictions, examples and model (not yet the result)."""
    quiet_libraries()
    meter = CostMeter(Path(spec.output_dir) / CHECKPOINTS / COST_FILE, main=write, energy=True)
    with meter("load"):
        inputs = load(spec, digests)
    inputs.meter = meter
    with deterministic(), numpy_on_one_thread():
        with meter("features"):
            feed = make_feed(inputs, say)
        announce(inputs, feed, say)
        with meter("train"):
            fitted = fit(inputs, feed, say)
        is_regression = inputs.records.columns.is_regression
        with meter("test"):
            predictions = record_predictions(fitted.logits(feed.test), feed.test, is_regression)
        with meter("fitted"):
            on_training = record_predictions(fitted.logits(feed.fitted), feed.fitted, is_regression)
            on_validation = record_predictions(fitted.logits(feed.validation), feed.validation, is_regression)
        gather_weights(feed.module)
        with meter("write"):
            if write:
                store(inputs, feed, predictions, on_validation)
        cost = cost_of(inputs, feed, fitted.precision, len(predictions), main=write)
        meter.energy.stop()
    scores = selection_metrics(feed.fitted.targets, on_training, is_regression, inputs.protocol.undefined)
    training = {**scores, "records": len(on_training)}
    measured = {"cost": cost, "environment": {**environment(command), "resumed": fitted.resumed}}
    return result_of(inputs, feed, fitted, predictions, on_validation, training, measured)


def announce(inputs: Inputs, feed: Feed, say: Say) -> None:
    """Tell what will happen to the signal, what was left out, and how much there is to train on."""
    say(feed.description)
    for reason, number in inputs.records.excluded.items():
        say(f"left out: {number} records ({reason})")
    counts = ", ".join(f"{len(split.records)} {name}" for name, split in inputs.records.splits.items())
    say(
        f"{inputs.spec.model} on {inputs.task.id}, mode {inputs.mode.id}: {counts} records, "
        f"{len(inputs.records.columns.names)} targets, {_effort(inputs.protocol)}"
    )


def _effort(protocol: Protocol) -> str:
    if protocol.solver == "lbfgs":
        return "solved to the optimum"
    most = "at most " if protocol.patience else ""
    rates = f" at each of {len(protocol.learning_rates)} learning rates" if protocol.learning_rates else ""
    return f"{most}{protocol.epochs} {'epoch' if protocol.epochs == 1 else 'epochs'}{rates}"


def store(inputs: Inputs, feed: Feed, predictions: np.ndarray, on_validation: np.ndarray) -> None:
    """Predictions, a few test ECGs and the adapted model, each atomically."""
    folder, columns, test = Path(inputs.spec.output_dir), inputs.records.columns, inputs.records.splits["test"]
    for file, split, values in (
        (PREDICTIONS_FILE, test, predictions),
        (VALIDATION_FILE, inputs.records.splits["validation"], on_validation),
    ):
        ids = split.record_id.tolist(), split.patient_id.tolist()
        write_predictions(folder / file, make_predictions(*ids, split.targets, values, columns.names, columns.kinds))
    chosen = choose_examples(test.targets, predictions, columns.is_regression, inputs.spec.examples)
    write_examples(folder, test, chosen, inputs.records.sampling_rate)
    write_subset(folder, inputs.records, inputs.subset)
    feed.save(folder / MODEL_FOLDER)


def result_of(
    inputs: Inputs,
    feed: Feed,
    fitted: Fitted,
    predictions: np.ndarray,
    on_validation: np.ndarray,
    training: dict[str, float],
    measured: dict[str, dict[str, Any]],
) -> Result:
    """The scored result with everything that is needed to distrust or repeat it."""
    spec, records, protocol = inputs.spec, inputs.records, inputs.protocol
    names, test = records.columns.names, records.splits["test"]
    metrics, parts = summarise_parts(
        test.targets, predictions, names, records.columns.kinds, inputs.parts,
        groups=test.patient_id, n_resamples=spec.n_resamples, seed=_BOOTSTRAP_SEED, undefined=protocol.undefined,
        validation=(records.splits["validation"].targets, on_validation),
    )  # fmt: skip
    config = feed.model.config
    return Result(
        task=inputs.task.id,
        dataset={
            "id": inputs.task.dataset,
            "source": inputs.prepared.source,
            "digest": inputs.prepared.info["digest"],
            "revision": inputs.prepared.revision,
            "task_version": task_version(inputs.task),
            "options": inputs.prepared.info.get("options", {}),
            "records": {name: len(split.records) for name, split in records.splits.items()},
            "excluded": records.excluded,
        },
        model=feed.source,
        mode=inputs.mode.id,
        protocol=spec.protocol,
        preprocessing=config.preprocessing,
        fraction=spec.fraction,
        seed=spec.seed,
        hyperparameters={
            **asdict(protocol),
            "optimizer": "AdamW, betas 0.9 and 0.999, eps 1e-8",
            "precision": fitted.precision,
            "limit": spec.limit,
            "fault": spec.fault,
            "accept_unit": spec.accept_unit,
            "model_options": spec.model_options,
            "target_mean": dict(zip(names, inputs.mean.tolist(), strict=True)),
            "target_std": dict(zip(names, inputs.std.tolist(), strict=True)),
            "target_units": {t["name"]: t["unit"] for t in inputs.prepared.info.get("targets", ())},
            **fitted.chosen,
        },
        signal=feed.signal,
        selection={**fitted.selection, "training": training},
        metrics=metrics,
        history=fitted.history,
        cost=measured["cost"],
        environment=measured["environment"],
        features=feed.facts,
        subset=inputs.subset,
        slices=as_slices(parts, len(test.targets)),
        subgroups=subgroup_scores(
            test.targets,
            predictions,
            names,
            records.columns.kinds,
            age=test.age,
            sex=test.sex,
            groups=test.patient_id,
            n_resamples=spec.n_resamples,
            seed=_BOOTSTRAP_SEED,
        ),
        warnings=[
            *([describe_fault(spec.fault, model_id_of(config.model_type))] if spec.fault else []),
            *records.warnings,
            *fitted.notes,
            *feature_caveats(feed.facts),
            *caveats(
                metrics, spec, protocol, inputs.prepared.info.get("options", {}), measured["environment"]["resumed"]
            ),
        ],
    )
