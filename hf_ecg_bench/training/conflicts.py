"""Hyperparameters that exclude each other or mean nothing in a mode: refused before anything is read."""

from __future__ import annotations

from collections.abc import Iterable

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.training.modes import Mode
from hf_ecg_bench.training.protocol import Protocol

# What the convex solver has no use for.
_OF_TRAINING = (
    *("epochs", "batch_size", "learning_rate", "weight_decay", "layer_factors", "max_grad_norm", "schedule"),
    *("warmup_steps", "accumulation", "gradient_checkpointing", "compile"),
)
_OF_FEATURES = ("features", "crops", "feature_precision")
# Of LoRA and DoRA; IA3 learns one factor per channel.
_OF_LOW_RANK = ("adapter_rank", "adapter_alpha", "adapter_dropout")


def check_combination(protocol: Protocol, overrides: Iterable[str], mode: Mode) -> None:
    """Refuse what would silently do something else than it says.

    Args:
        protocol: the run's values.
        overrides: names of the values that the user gave.
        mode: of the run.

    Raises:
        TrainingError: with the flag to leave out or to add.
    """
    given = set(overrides)
    if {"learning_rate", "learning_rates"} <= given and protocol.learning_rates:
        raise TrainingError("both one learning rate and several to try", fix="leave out one of the two flags")
    if len(set(protocol.learning_rates)) < len(protocol.learning_rates):
        raise TrainingError(
            f"learning_rates = {protocol.learning_rates}: a rate stands there twice", fix="give each rate once"
        )
    if not mode.on_features:
        _refuse_unused(f"mode {mode.id!r} trains more than a head: it", _OF_FEATURES, given, "--mode frozen or linear")
    elif protocol.features != "stored":
        _refuse_unused("a run that stores no features", _OF_FEATURES[1:], given, "--features stored")
    if mode.adapter and protocol.adapter == "ia3":
        _refuse_unused("the adapter ia3", _OF_LOW_RANK, given, "--adapter lora or dora")
    if protocol.solver == "lbfgs":
        _check_convex(protocol, given, mode)


def _check_convex(protocol: Protocol, given: set[str], mode: Mode) -> None:
    if not mode.on_features or mode.head != "linear":
        raise TrainingError(
            f"the solver lbfgs fits a linear head on frozen features, mode {mode.id!r} trains something else",
            fix="--mode linear, or --solver trainer",
        )
    if protocol.features != "stored":
        raise TrainingError("the solver lbfgs reads stored features", fix="--features stored, or --solver trainer")
    if protocol.learning_rates or protocol.patience:
        raise TrainingError(
            "the solver lbfgs has no learning rate and no epochs to choose",
            fix="--solver lbfgs without --learning-rates, --patience and --protocol auto",
        )
    if protocol.focal_gamma:
        raise TrainingError(
            "the focal loss is not convex, which the solver lbfgs needs", fix="--solver trainer, or no --focal-gamma"
        )
    _refuse_unused("the solver lbfgs", _OF_TRAINING, given, "--solver trainer")


def _refuse_unused(what: str, names: tuple[str, ...], given: set[str], other: str) -> None:
    flags = ["--" + name.replace("_", "-") for name in names if name in given]
    if flags:
        raise TrainingError(
            f"{what} makes no use of {', '.join(flags)}",
            fix=f"leave {'it' if len(flags) == 1 else 'them'} out, or {other}",
        )
