"""From a run's specification to a model, a conversion plan and a Trainer."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PrinterCallback, TrainingArguments, set_seed

from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.errors import ContractError, TrainingError
from hf_ecg_bench.models.loading import load_model, read_config
from hf_ecg_bench.models.preprocessing import original_of
from hf_ecg_bench.models.registry import MODELS, get_model_spec, model_id_of
from hf_ecg_bench.signals.contract import ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.original import plan_original
from hf_ecg_bench.tasks.targets import TargetColumns
from hf_ecg_bench.tasks.task import SelectionMetric
from hf_ecg_bench.training.batches import EvaluationWindows, TrainingWindows, collate
from hf_ecg_bench.training.faults import NO_FAULT, FaultEffect, fault_effect, make_faulty
from hf_ecg_bench.training.modes import Mode
from hf_ecg_bench.training.records import TaskRecords
from hf_ecg_bench.training.reporting import EpochLines, Say
from hf_ecg_bench.training.selection import GREATER_IS_BETTER
from hf_ecg_bench.training.spec import Protocol, RunSpec
from hf_ecg_bench.training.state import CHECKPOINTS
from hf_ecg_bench.training.trainer import EcgTrainer, Metrics


def build_model(
    spec: RunSpec, mode: Mode, effect: FaultEffect, columns: TargetColumns, mean: np.ndarray, std: np.ndarray
) -> PreTrainedModel:
    """The classifier of a run, with the mode's head, its random parts drawn from the run's seed.

    Raises:
        TrainingError: the mode needs pretrained weights and the model has none, or the other way round.
    """
    is_id = spec.model in MODELS
    if mode.pretrained and is_id and not get_model_spec(spec.model).pretrained:
        raise TrainingError(
            f"mode {mode.id!r} adapts pretrained weights and {spec.model!r} has none", fix="--mode scratch"
        )
    if not mode.pretrained and not is_id:
        raise TrainingError(
            f"mode {mode.id!r} starts from random weights, but --model {spec.model} is a folder or Hub id",
            fix=f"--model with one of: {', '.join(MODELS)}",
        )
    if spec.model_options and mode.pretrained:
        raise TrainingError(
            "model options change the architecture and would not fit pretrained weights: "
            + ", ".join(spec.model_options),
            fix="leave out --model-option, or use --mode scratch",
        )
    model = load_model(
        spec.model,
        pretrained=mode.pretrained and not (is_id and effect.random_backbone),
        target_names=columns.names,
        target_kinds=columns.kinds,
        target_mean=mean.tolist(),
        target_std=std.tolist(),
        head=mode.head,
        freeze_backbone=mode.freeze,
        seed=spec.seed,
        preprocessing=spec.preprocessing,
        **spec.model_options,
    )
    make_faulty(model, effect, spec.seed)
    return model


def effect_of(spec: RunSpec, mode: Mode) -> FaultEffect:
    """What the run's fault, if any, changes; raises where it is not one of the model's or has no effect."""
    if spec.fault is None:
        return NO_FAULT
    model_id = spec.model if spec.model in MODELS else model_id_of(read_config(spec.model).model_type)
    return fault_effect(spec.fault, model_id, mode)


def model_source(spec: RunSpec, model: PreTrainedModel, digest: str | None) -> dict[str, Any]:
    """What identifies the model in a result.

    Keys: `id`; `source` as the user gave it; `digest`, SHA-256 of the weights that were adapted (None for a model
    from scratch); `revision` on the Hub; `checkpoint_digest` of the public file it was converted from.
    """
    config = model.config
    return {
        "id": model_id_of(config.model_type),
        "source": spec.model,
        "digest": digest,
        "revision": getattr(config, "_commit_hash", None),
        "checkpoint_digest": getattr(config, "source_digest", None),
    }


def conversion_plan(records: TaskRecords, config: Any, where: str, accept_unit: str | None = None) -> Plan:
    """How the dataset's signal becomes the model's input. `accept_unit` is fed as it is, if the data are in it.

    Raises:
        ContractError: it cannot, or the data are not in the unit that was to be accepted.
    """
    if accept_unit not in (None, records.unit):
        raise ContractError(
            f"--accept-unit {accept_unit}: the signals of {where} are in {records.unit!r}", fix="leave it out"
        )
    source = SignalSource(
        rate=records.sampling_rate, leads=LEADS, unit=records.unit, seconds=records.seconds, where=where
    )
    if config.preprocessing == "original":
        return plan_original(source, original_of(config), config.model_type, config.fixed_length, accept_unit)
    target = ModelInput(
        rate=config.sampling_rate,
        seconds=config.window_seconds,
        where=config.model_type,
        fixed_length=config.fixed_length,
    )
    return plan(source, target, accept_unit=accept_unit)


def build_trainer(
    spec: RunSpec,
    mode: Mode,
    protocol: Protocol,
    model: PreTrainedModel,
    training: TrainingWindows,
    validation: EvaluationWindows,
    is_regression: np.ndarray,
    selection: SelectionMetric,
    record_metrics: Metrics,
    say: Say,
) -> EcgTrainer:
    """A Trainer that evaluates, logs and saves once per epoch and ends with the best epoch's weights.

    Raises:
        TrainingError: the batch cannot be divided over processes and accumulation steps.
    """
    on_cpu = not torch.cuda.is_available()
    shares = int(os.environ.get("WORLD_SIZE", "1")) * protocol.accumulation
    if protocol.batch_size % shares:
        raise TrainingError(
            f"a batch of {protocol.batch_size} cannot be divided over {shares} processes x accumulation steps",
            fix=f"--batch-size {max(1, protocol.batch_size // shares) * shares}",
        )
    precision = protocol.precision
    if precision == "auto":
        known = get_model_spec(model_id_of(model.config.model_type))
        precision = "fp32" if on_cpu or known.full_precision else "fp16"
    set_seed(spec.seed)
    arguments = TrainingArguments(
        output_dir=str(Path(spec.output_dir) / CHECKPOINTS),
        num_train_epochs=protocol.epochs,
        per_device_train_batch_size=protocol.batch_size // shares,
        per_device_eval_batch_size=protocol.evaluation_batch_size,
        gradient_accumulation_steps=protocol.accumulation,
        learning_rate=protocol.learning_rate,
        weight_decay=protocol.weight_decay,
        max_grad_norm=protocol.max_grad_norm,
        lr_scheduler_type=protocol.schedule,
        warmup_steps=protocol.warmup_steps,
        fp16=precision == "fp16",
        bf16=precision == "bf16",
        seed=spec.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        save_total_limit=2,  # the best and the last: with 1 the last is deleted at the end, before the test
        load_best_model_at_end=True,
        metric_for_best_model=selection,
        greater_is_better=GREATER_IS_BETTER[selection],
        label_names=["labels"],
        remove_unused_columns=False,
        report_to="none",
        use_cpu=on_cpu,
        disable_tqdm=not sys.stderr.isatty(),
        dataloader_pin_memory=not on_cpu,
        ddp_find_unused_parameters=True if shares > 1 else None,
    )
    # Several visible GPUs without a launcher would multiply the batch behind the protocol's back (nn.DataParallel).
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1
    trainer = EcgTrainer(
        model=model,
        args=arguments,
        data_collator=collate,
        train_dataset=training,
        eval_dataset=validation,
        is_regression=torch.from_numpy(is_regression),
        layer_factors=protocol.layer_factors if mode.layer_rates else (1.0, 1.0, 1.0),
        record_metrics=record_metrics,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(EpochLines(selection, say))
    return trainer
