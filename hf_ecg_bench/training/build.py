"""From a run's specification to a model and a conversion plan."""

from __future__ import annotations

from typing import Any

import numpy as np
from transformers import PreTrainedModel

from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.errors import ContractError, TrainingError
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.preprocessing import original_of
from hf_ecg_bench.models.registry import MODELS, get_model_spec, model_id_of
from hf_ecg_bench.signals.contract import ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.original import plan_original
from hf_ecg_bench.tasks.targets import TargetColumns
from hf_ecg_bench.training.faults import FaultEffect, make_faulty
from hf_ecg_bench.training.modes import Mode
from hf_ecg_bench.training.records.of_task import TaskRecords
from hf_ecg_bench.training.spec import RunSpec


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
        where=model_id_of(config.model_type),
        fixed_length=config.fixed_length,
    )
    return plan(source, target, accept_unit=accept_unit)
