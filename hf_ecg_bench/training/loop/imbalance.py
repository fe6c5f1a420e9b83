"""Weights of the positives of rare labels in the loss."""

from __future__ import annotations

from typing import Literal

import numpy as np

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.training.protocol import Protocol

#: A label with one positive among thousands would otherwise rule every step that has it.
MAX_WEIGHT = 100.0

ClassWeights = Literal["none", "balanced", "sqrt"]


def check_imbalance(protocol: Protocol, is_regression: np.ndarray) -> None:
    """Refuse what is only about yes/no targets where there are none.

    Raises:
        TrainingError: such a hyperparameter for a task of regression targets.
    """
    if is_regression.all() and (protocol.class_weights != "none" or protocol.focal_gamma):
        raise TrainingError(
            "class weights and the focal loss are about yes/no targets, and the task has none",
            fix="leave out --class-weights and --focal-gamma",
        )


def positive_weights(targets: np.ndarray, is_regression: np.ndarray, rule: ClassWeights) -> np.ndarray | None:
    """Weight of the positives in each target's cross-entropy; that of the negatives is 1.

    With weight w the optimum moves by log w in the logit: probabilities are those of a population with w times as
    many positives (King and Zeng, Political Analysis 9, 2001), so they are no longer calibrated.

    Args:
        targets: (records, targets) of the training records: 0, 1 or NaN; regression targets are not looked at.
        is_regression: (targets,) bool.
        rule: `balanced`: negatives / positives; `sqrt`: its square root; `none`.

    Returns:
        (targets,) float32, at most `MAX_WEIGHT`; 1 for regression targets and for those without positives or
        without negatives. None for `none`.
    """
    if rule == "none":
        return None
    positives, negatives = (targets == 1).sum(axis=0), (targets == 0).sum(axis=0)
    known = (positives > 0) & (negatives > 0) & ~is_regression
    weights = np.where(known, negatives / np.maximum(positives, 1), 1.0)
    if rule == "sqrt":
        weights = np.sqrt(weights)
    return np.minimum(weights, MAX_WEIGHT).astype(np.float32)
