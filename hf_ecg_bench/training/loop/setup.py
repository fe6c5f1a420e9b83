"""From a run's protocol to a Trainer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PrinterCallback, TrainingArguments, set_seed

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.costs.callback import CostCallback
from hf_ecg_bench.training.feeding import Feed
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.loop.batches import collate
from hf_ecg_bench.training.loop.early_stopping import EarlyStopping
from hf_ecg_bench.training.loop.imbalance import positive_weights
from hf_ecg_bench.training.loop.precision import compute_precision
from hf_ecg_bench.training.loop.selection import GREATER_IS_BETTER, selection_metrics
from hf_ecg_bench.training.loop.trainer import EcgTrainer
from hf_ecg_bench.training.modes import Mode
from hf_ecg_bench.training.protocol import Protocol
from hf_ecg_bench.training.reporting import EpochLines
from hf_ecg_bench.training.surviving.processes import world_size
from hf_ecg_bench.training.surviving.sharding import check_sharding
from hf_ecg_bench.training.surviving.state import CHECKPOINTS


def build_trainer(
    inputs: Inputs, feed: Feed, say: Say, *, protocol: Protocol | None = None, folder: Path | None = None
) -> EcgTrainer:
    """A Trainer that evaluates, logs and saves once per epoch and ends with the best epoch's weights.

    Args:
        inputs: the run's.
        feed: what is trained, and on what.
        protocol: in place of the run's own (a search tries several).
        folder: of its checkpoints, in place of the run's own.

    Raises:
        TrainingError: the batch cannot be divided over processes and accumulation steps.
    """
    spec, mode, selection = inputs.spec, inputs.mode, inputs.task.selection
    protocol = inputs.protocol if protocol is None else protocol
    is_regression = inputs.records.columns.is_regression

    def metrics(targets: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
        return selection_metrics(targets, predictions, is_regression, protocol.undefined)

    on_cpu = not torch.cuda.is_available()
    shares = world_size() * protocol.accumulation
    if protocol.batch_size % shares:
        raise TrainingError(
            f"a batch of {protocol.batch_size} cannot be divided over {shares} processes x accumulation steps",
            fix=f"--batch-size {max(1, protocol.batch_size // shares) * shares}",
        )
    precision = compute_precision(protocol, feed.model.config)
    if precision == "fp16" and on_cpu:
        raise TrainingError("precision fp16 needs a GPU", fix="--precision bf16, or fp32")
    weights = positive_weights(inputs.records.splits["train"].targets, is_regression, protocol.class_weights)
    stopping = None
    if protocol.patience:
        stopping = EarlyStopping(selection, GREATER_IS_BETTER[selection], protocol.patience, say)
    set_seed(spec.seed)
    arguments = TrainingArguments(
        output_dir=str(folder or Path(spec.output_dir) / CHECKPOINTS),
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
        # Which checkpoints stay is ResumableTrainer's to say, and it looks at the losses itself.
        logging_nan_inf_filter=False,
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
        **_checkpointing(protocol, mode, say),
    )
    # Several visible GPUs without a launcher would multiply the batch behind the protocol's back (nn.DataParallel).
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1
    if protocol.compile:
        # In place, so that nothing is called differently. TrainingArguments(torch_compile=True) would set environment
        # variables by which every later run of this process is compiled, too.
        feed.module.compile()
    trainer = EcgTrainer(
        model=feed.module,
        args=arguments,
        data_collator=collate,
        train_dataset=feed.training,
        eval_dataset=feed.validation,
        is_regression=torch.from_numpy(is_regression),
        layer_factors=protocol.layer_factors if mode.layer_rates else (1.0, 1.0, 1.0),
        record_metrics=metrics,
        positive_weights=None if weights is None else torch.from_numpy(weights),
        focal_gamma=protocol.focal_gamma,
        early_stopping=stopping,
    )
    ids = inputs.records.splits["train"].record_id
    trainer.say, trainer.names = say, lambda positions: ids[positions].tolist()
    trainer.phase = inputs.meter
    trainer.add_callback(CostCallback(inputs.meter))
    check_sharding(trainer, say)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(EpochLines(selection, say))
    return trainer


def _checkpointing(protocol: Protocol, mode: Mode, say: Say) -> Any:
    """The argument by which blocks are recomputed in the backward pass; none runs through a frozen backbone."""
    if not protocol.gradient_checkpointing:
        return {}
    if mode.on_features:
        say(f"note: --gradient-checkpointing changes nothing in mode {mode.id}: no gradient runs through the backbone")
        return {}
    # transformers renames it: the old name warns where there is the new one.
    new, old = "activation_checkpointing", "gradient_checkpointing"
    return {new if hasattr(TrainingArguments, new) else old: True}
