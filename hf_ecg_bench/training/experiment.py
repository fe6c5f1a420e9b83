"""What a run computes, in four steps: load, build, train, test. Everything random comes from the run's seed."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from hf_ecg_bench.data.load import PreparedDataset, load_prepared, require_signals
from hf_ecg_bench.data.record_windows import window_reader
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.models.registry import model_id_of
from hf_ecg_bench.progress import quiet_libraries
from hf_ecg_bench.results.predictions import make_predictions, write_predictions
from hf_ecg_bench.results.schema import MODEL_FOLDER, PREDICTIONS_FILE, Result
from hf_ecg_bench.tasks import Task, get_task
from hf_ecg_bench.training.batches import EvaluationWindows, TrainingWindows
from hf_ecg_bench.training.build import build_model, build_trainer, conversion_plan, effect_of, model_source
from hf_ecg_bench.training.caveats import caveats
from hf_ecg_bench.training.determinism import deterministic
from hf_ecg_bench.training.environment import environment, peak_memory_bytes
from hf_ecg_bench.training.examples import choose_examples, write_examples
from hf_ecg_bench.training.faults import FaultEffect, describe_fault, faulty_protocol
from hf_ecg_bench.training.modes import Mode, get_mode
from hf_ecg_bench.training.records import TaskRecords, standardise, task_records, training_subset
from hf_ecg_bench.training.reporting import Say
from hf_ecg_bench.training.selection import check_selectable, selection_metrics
from hf_ecg_bench.training.spec import Protocol, RunSpec
from hf_ecg_bench.training.trainer import EcgTrainer, record_predictions

_FITTED_RECORDS = 2000
_BOOTSTRAP_SEED = 0  # one for all runs of a task, whatever their training seed: their intervals share the resamples


@dataclass
class Inputs:
    """What the run works on."""

    spec: RunSpec
    digests: dict[str, str | None]
    task: Task
    mode: Mode
    effect: FaultEffect
    protocol: Protocol
    prepared: PreparedDataset
    records: TaskRecords
    mean: np.ndarray
    std: np.ndarray


def execute(
    spec: RunSpec, digests: dict[str, str | None], say: Say, *, write: bool, command: str | None = None
) -> Result:
    """Compute the run and, in the writing process, store predictions, examples and model (not yet the result)."""
    quiet_libraries()
    inputs = load(spec, digests)
    with deterministic():
        model = build_model(spec, inputs.mode, inputs.effect, inputs.records.columns, inputs.mean, inputs.std)
        plan = conversion_plan(inputs.records, model.config, inputs.prepared.source, spec.accept_unit)
        announce(inputs, plan, say)
        trainer, test = trainer_and_test(inputs, model, plan, say)
        started = time.perf_counter()
        resumed = trainer.fit()
        trained = time.perf_counter()
        is_regression = inputs.records.columns.is_regression
        predictions = record_predictions(trainer.window_logits(test), test, is_regression)
        cost = cost_of(model, trained - started, time.perf_counter() - trained, len(predictions))
        fit = training_scores(inputs, trainer, plan)
    if write:
        store(inputs, trainer, predictions)
    measured = {"cost": cost, "training": fit, "environment": {**environment(command), "resumed": resumed}}
    return result_of(inputs, trainer, plan, model, predictions, measured)


def load(spec: RunSpec, digests: dict[str, str | None]) -> Inputs:
    """Names, data and targets, checked before anything expensive starts."""
    task, mode = get_task(spec.task), get_mode(spec.mode)
    effect = effect_of(spec, mode)
    protocol = faulty_protocol(spec.hyperparameters(), effect)
    prepared = load_prepared(spec.data or task.dataset)
    require_signals(prepared)
    records = task_records(prepared, task)
    records.splits["train"] = training_subset(records.splits["train"], spec.fraction, spec.limit, spec.seed)
    mean, std = standardise(records)
    check_selectable(records.splits["validation"].targets, records.columns.is_regression, task.selection)
    number = len(records.splits["train"].records)
    if number < protocol.batch_size:
        raise TrainingError(
            f"{number} training records do not fill one batch of {protocol.batch_size}; "
            "incomplete batches are not trained on",
            fix=f"--batch-size {max(1, number // 2)}",
        )
    return Inputs(spec, digests, task, mode, effect, protocol, prepared, records, mean, std)


def announce(inputs: Inputs, plan: Plan, say: Say) -> None:
    """Tell what will happen to the signal, what was left out, and how much there is to train on."""
    say(plan.describe())
    for reason, number in inputs.records.excluded.items():
        say(f"left out: {number} records ({reason})")
    counts = ", ".join(f"{len(split.records)} {name}" for name, split in inputs.records.splits.items())
    say(
        f"{inputs.spec.model} on {inputs.task.id}, mode {inputs.mode.id}: {counts} records, "
        f"{len(inputs.records.columns.names)} targets, {inputs.protocol.epochs} epochs"
    )


def trainer_and_test(
    inputs: Inputs, model: PreTrainedModel, plan: Plan, say: Say
) -> tuple[EcgTrainer, EvaluationWindows]:
    """The Trainer over training and validation windows, and the test windows."""
    splits, is_regression = inputs.records.splits, inputs.records.columns.is_regression
    train = splits["train"]
    training = TrainingWindows(
        window_reader(train.view, plan), train.records, train.targets, inputs.spec.seed,
        last_window=inputs.protocol.last_window,
    )  # fmt: skip
    validation, test = (
        EvaluationWindows(window_reader(s.view, plan), s.records, s.targets, inputs.protocol.tail)
        for s in (splits["validation"], splits["test"])
    )

    def metrics(targets: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
        return selection_metrics(targets, predictions, is_regression, inputs.protocol.undefined)

    trainer = build_trainer(
        inputs.spec, inputs.mode, inputs.protocol, model, training, validation,
        is_regression, inputs.task.selection, metrics, say,
    )  # fmt: skip
    return trainer, test


def training_scores(inputs: Inputs, trainer: EcgTrainer, plan: Plan) -> dict[str, float]:
    """The selected epoch's metrics on (at most 2,000 of) the records it was trained on: how far it has fitted them."""
    train = training_subset(inputs.records.splits["train"], 1.0, _FITTED_RECORDS, inputs.spec.seed)
    windows = EvaluationWindows(window_reader(train.view, plan), train.records, train.targets, inputs.protocol.tail)
    is_regression = inputs.records.columns.is_regression
    predictions = record_predictions(trainer.window_logits(windows), windows, is_regression)
    scores = selection_metrics(train.targets, predictions, is_regression, inputs.protocol.undefined)
    return {**scores, "records": len(train.records)}


def cost_of(model: PreTrainedModel, train_seconds: float, test_seconds: float, test_records: int) -> dict[str, Any]:
    """Seconds, memory and size. The training time of a resumed run is that of its last part."""
    return {
        "train_seconds": train_seconds,
        "evaluate_seconds": test_seconds,
        "peak_memory_bytes": peak_memory_bytes(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "records_per_second": test_records / test_seconds,
    }


def store(inputs: Inputs, trainer: EcgTrainer, predictions: np.ndarray) -> None:
    """Predictions, a few test ECGs and the adapted model, each atomically."""
    folder, columns, test = Path(inputs.spec.output_dir), inputs.records.columns, inputs.records.splits["test"]
    write_predictions(
        folder / PREDICTIONS_FILE,
        make_predictions(
            test.record_id.tolist(), test.patient_id.tolist(), test.targets, predictions, columns.names, columns.kinds
        ),
    )
    chosen = choose_examples(test.targets, predictions, columns.is_regression, inputs.spec.examples)
    write_examples(folder, test, chosen, inputs.records.sampling_rate)
    trainer.save_adapted(folder / MODEL_FOLDER, inputs.protocol.tail)


def result_of(
    inputs: Inputs,
    trainer: EcgTrainer,
    plan: Plan,
    model: PreTrainedModel,
    predictions: np.ndarray,
    measured: dict[str, dict[str, Any]],
) -> Result:
    """The scored result with everything that is needed to distrust or repeat it."""
    spec, records, protocol = inputs.spec, inputs.records, inputs.protocol
    names, test = records.columns.names, records.splits["test"]
    metrics = summarise(
        test.targets, predictions, names, records.columns.kinds,
        groups=test.patient_id, n_resamples=spec.n_resamples, seed=_BOOTSTRAP_SEED, undefined=protocol.undefined,
    )  # fmt: skip
    return Result(
        task=inputs.task.id,
        dataset={
            "id": inputs.task.dataset,
            "source": inputs.prepared.source,
            "digest": inputs.prepared.info["digest"],
            "options": inputs.prepared.info.get("options", {}),
            "records": {name: len(split.records) for name, split in records.splits.items()},
            "excluded": records.excluded,
        },
        model=model_source(spec, model, inputs.digests["model"]),
        mode=inputs.mode.id,
        protocol=spec.protocol,
        preprocessing=model.config.preprocessing,
        fraction=spec.fraction,
        seed=spec.seed,
        hyperparameters={
            **asdict(protocol),
            "optimizer": "AdamW, betas 0.9 and 0.999, eps 1e-8",
            "precision": trainer.precision,
            "limit": spec.limit,
            "fault": spec.fault,
            "accept_unit": spec.accept_unit,
            "model_options": spec.model_options,
            "target_mean": dict(zip(names, inputs.mean.tolist(), strict=True)),
            "target_std": dict(zip(names, inputs.std.tolist(), strict=True)),
            "target_units": {t["name"]: t["unit"] for t in inputs.prepared.info.get("targets", ())},
        },
        signal=plan.to_dict(),
        selection={**trainer.selection(inputs.task.selection), "training": measured["training"]},
        metrics=metrics,
        history=trainer.epochs(),
        cost=measured["cost"],
        environment=measured["environment"],
        warnings=[
            *([describe_fault(spec.fault, model_id_of(model.config.model_type))] if spec.fault else []),
            *records.warnings,
            *caveats(
                metrics, spec, protocol, inputs.prepared.info.get("options", {}), measured["environment"]["resumed"]
            ),
        ],
    )
