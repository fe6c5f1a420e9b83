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
    unused = [name for name in _OF_TRAINING if name in given]
    if unused:
        flags = ", ".join("--" + name.replace("_", "-") for name in unused)
        raise TrainingError(f"the solver lbfgs makes no use of {flags}", fix="leave them out, or --solver trainer")
