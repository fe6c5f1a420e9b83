"""Slips behind published numbers, done again on purpose, so that a number can be traced to its cause.

A fault is declared by the models that it struck (`ModelSpec.faults`) and is never the default. Here is what each does
to a run, by its id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hf_ecg_bench.errors import TrainingError, unknown_name
from hf_ecg_bench.models.registry import MODELS, get_model_spec, model_id_of
from hf_ecg_bench.training.modes import Mode
from hf_ecg_bench.training.protocol import Protocol
from hf_ecg_bench.training.spec import RunSpec


@dataclass(frozen=True)
class FaultEffect:
    """What a fault changes in a run.

    Attributes:
        applies: the modes in which it makes a difference.
        random_backbone: the backbone starts from its random initialisation instead of the checkpoint.
        head_only: the late and early layers get no learning rate.
        drifting: a frozen backbone is put into train mode, where batch statistics are used and updated.
    """

    applies: Callable[[Mode], bool]
    random_backbone: bool = False
    head_only: bool = False
    drifting: bool = False


NO_FAULT = FaultEffect(lambda mode: True)

FAULTS: dict[str, FaultEffect] = {
    "unloaded_weights": FaultEffect(lambda mode: mode.pretrained, random_backbone=True),
    "head_only_groups": FaultEffect(lambda mode: mode.layer_rates, head_only=True),
    "drifting_batch_norm": FaultEffect(lambda mode: mode.freeze, drifting=True),
}


def effect_of(spec: RunSpec, mode: Mode) -> FaultEffect:
    """What the run's fault, if any, changes; raises where it is not one of the model's or has no effect."""
    if spec.fault is None:
        return NO_FAULT
    from hf_ecg_bench.models.loading import read_config

    model_id = spec.model if spec.model in MODELS else model_id_of(read_config(spec.model).model_type)
    return fault_effect(spec.fault, model_id, mode)


def fault_effect(fault: str, model_id: str, mode: Mode) -> FaultEffect:
    """What `fault` does to a run of that model in that mode.

    Raises:
        UnknownNameError: no such fault.
        TrainingError: it is not one of this model's, or makes no difference in this mode.
    """
    if fault not in FAULTS:
        raise unknown_name("fault", fault, FAULTS)
    declared = [known.id for known in get_model_spec(model_id).faults]
    if fault not in declared:
        raise TrainingError(
            f"fault {fault!r} is not one of {model_id}'s ({', '.join(declared) or 'it has none'})",
            fix=f"hf-ecg-bench info {model_id}, or leave out --fault",
        )
    if not FAULTS[fault].applies(mode):
        raise TrainingError(f"fault {fault!r} makes no difference in mode {mode.id!r}", fix="leave out --fault")
    return FAULTS[fault]


def faulty_protocol(protocol: Protocol, effect: FaultEffect) -> Protocol:
    """The hyperparameters under the fault."""
    if effect.drifting:  # the features change while the head is trained
        return replace(protocol, features="reencoded")
    if effect.head_only:
        return replace(protocol, layer_factors=(protocol.layer_factors[0], 0.0, 0.0))
    return protocol


def make_faulty(model: Any, effect: FaultEffect, seed: int) -> None:
    """Change a built classifier in place as the fault wants it."""
    if effect.random_backbone:
        from hf_ecg_bench.models.seeding import fixed_seed

        with fixed_seed(seed):
            model.encoder = type(model.encoder)(model.config).train(model.encoder.training)
        model.apply_freezing()
    if effect.drifting:
        model.keeps_frozen_in_eval = False


def describe_fault(fault: str, model_id: str) -> str:
    """A sentence for the result's warnings."""
    what = next(known.what for known in get_model_spec(model_id).faults if known.id == fault)
    return f"run with the published fault {fault!r} on purpose: {what}"
