"""The solver `lbfgs`: a linear head on stored features, trained to the optimum of its convex problem.

The penalty's strength, one for all targets, is the one of a fixed grid that is best on validation, of equal ones the
stronger. Each strength starts from the solution of the stronger one before it. There is nothing random in it, and
nothing to resume: a killed solve starts again, which takes about as long as an epoch of fine-tuning.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from hf_ecg_bench.errors import TrainingError, some
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.convex.data import FeatureRows, LinearData, linear_data
from hf_ecg_bench.training.convex.solve import TOLERANCE, Solution, exact_gradient, solve
from hf_ecg_bench.training.feeding import Feed
from hf_ecg_bench.training.fitted import Fitted
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.loop.batches import EvaluationSet
from hf_ecg_bench.training.loop.imbalance import positive_weights
from hf_ecg_bench.training.loop.predicting import record_predictions
from hf_ecg_bench.training.loop.selection import GREATER_IS_BETTER, selection_metrics
from hf_ecg_bench.training.loop.setup import build_trainer
from hf_ecg_bench.training.surviving.processes import world_size

#: Of the penalty on weights of standardised features, against a mean loss: 10, 3.2, 1, ... 0.0001.
STRENGTHS = tuple(10.0 ** (1 - step / 2) for step in range(11))
# The solver's own sums may be float32, which cannot always tell a gradient from its rounding: float64 decides.
_ROUNDING = 10.0


def fit_convex(inputs: Inputs, feed: Feed, say: Say) -> Fitted:
    """Solve at every strength and leave the best weights on validation in the classifier's head.

    The history has one entry per strength; its `epoch` is the entry's number. Every process of a launch solves the
    same problem.
    """
    is_regression, metric = inputs.records.columns.is_regression, inputs.task.selection
    sign = 1.0 if GREATER_IS_BETTER[metric] else -1.0
    targets = inputs.records.splits["train"].targets
    weights = positive_weights(targets, is_regression, inputs.protocol.class_weights)
    data = linear_data(stored_rows(feed.training), targets, is_regression, weights)
    held_out = stored_rows(feed.validation)
    raw = held_out.read(np.arange(len(held_out.record)))
    history: list[dict[str, Any]] = []
    best: tuple[float, int, Solution] | None = None
    solution: Solution | None = None
    for number, strength in enumerate(STRENGTHS, 1):
        started = time.monotonic()
        solution = solve(data, strength, solution)
        scores = _scores(inputs, feed.validation, raw, data, solution)
        value = scores[metric]
        history.append(
            {
                "epoch": number,
                "strength": strength,
                "train_loss": solution.loss,
                "iterations": solution.iterations,
                "not_converged": int((~solution.converged).sum()),
                **{f"validation_{name}": score for name, score in scores.items()},
            }
        )
        if best is None or sign * value > sign * best[0]:
            best = value, number, solution
        say(
            f"strength {strength:.1e} ({number}/{len(STRENGTHS)}): loss {solution.loss:.4f}, {solution.iterations} "
            f"iterations, {time.monotonic() - started:.1f} s, validation {metric} {value:.4f} (best {best[0]:.4f})"
        )
    assert best is not None
    value, number, solution = best
    _put(feed, data, solution)
    protocol = replace(inputs.protocol, learning_rates=(), patience=0, precision="fp32")
    gradient = exact_gradient(data, STRENGTHS[number - 1], solution)
    return Fitted(
        build_trainer(inputs, feed, say, protocol=protocol).window_logits,
        history,
        {
            "metric": metric,
            "best_epoch": number,
            "best_value": value,
            "strength": STRENGTHS[number - 1],
            "strengths": list(STRENGTHS),
            "gradient": float(gradient.max()),
            "windows": len(data.record),
        },
        "fp32",
        False,
        {"strength": STRENGTHS[number - 1]},
        _notes(inputs, data, number, gradient),
    )


def stored_rows(items: Any) -> FeatureRows:
    """The stored windows behind a training or evaluation set.

    Raises:
        TrainingError: it reads none.
    """
    rows: FeatureRows | None = getattr(items, "stored", None)
    if rows is None:
        raise TrainingError("the solver lbfgs reads stored features, and there are none", fix="--features stored")
    return rows


def _scores(
    inputs: Inputs, validation: EvaluationSet, raw: np.ndarray, data: LinearData, solution: Solution
) -> dict[str, float]:
    weights, intercepts = solution.folded(data)
    logits = raw @ weights.T.astype(raw.dtype) + intercepts
    predictions = record_predictions(logits, validation, data.is_regression)
    return selection_metrics(validation.targets, predictions, data.is_regression, inputs.protocol.undefined)


def _put(feed: Feed, data: LinearData, solution: Solution) -> None:
    """Write the weights into the classifier's head, the same in every process."""
    weights, intercepts = (torch.from_numpy(values) for values in solution.folded(data))
    if world_size() > 1:
        from accelerate.utils import broadcast

        weights, intercepts = broadcast([weights, intercepts])
    head: Any = feed.model.head
    with torch.no_grad():
        head.weight.copy_(weights)
        head.bias.copy_(intercepts)


def _notes(inputs: Inputs, data: LinearData, number: int, gradient: np.ndarray) -> list[str]:
    names = inputs.records.columns.names
    notes = [
        f"the head is the optimum of a penalised convex problem, not what AdamW finds in the protocol's epochs; the "
        f"penalty's strength {STRENGTHS[number - 1]:.1e} was chosen on validation among {len(STRENGTHS)}"
    ]
    if number in (1, len(STRENGTHS)):
        notes.append(f"the chosen strength is the {'strongest' if number == 1 else 'weakest'} that was tried")
    stuck = gradient > TOLERANCE * _ROUNDING
    if stuck.any():
        notes.append(
            f"the solver did not converge for {int(stuck.sum())} of {len(names)} targets (largest gradient "
            f"{gradient.max():.1e}): {some([name for name, bad in zip(names, stuck, strict=True) if bad])}"
        )
    idle = ~data.learnable
    if idle.any():
        notes.append(
            f"{int(idle.sum())} targets have no two classes (or no value) in the training records and get a constant: "
            f"{some([name for name, bad in zip(names, idle, strict=True) if bad])}"
        )
    return notes
