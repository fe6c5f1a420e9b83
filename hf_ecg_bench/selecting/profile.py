"""How candidates differ on a task, from how they differ on others: a linear mixed model, fitted by its posterior mode.

On the common scale a cell is

    level of its block + model + mode + model x mode                          everywhere
    + (model x mode) x category + (model + mode + model x mode) x dataset     there
    + (model x mode) x task + noise,

all effects normal around 0 with variances that are estimated (Searle, Casella & McCulloch 1992; a Gaussian process with
these covariances). Estimates are thus drawn towards the mean the more, the less there is behind them (Efron & Morris
1975). Candidates that jump more from dataset to dataset get a larger variance of their own, drawn towards 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from hf_ecg_bench.selecting.candidate import Candidate
from hf_ecg_bench.selecting.evidence import Cell

Floats = NDArray[np.float64]

EFFECTS = ("model", "mode", "both", "category", "model_dataset", "mode_dataset", "dataset", "task")
# Weak prior of each standard deviation: log-normal around these, a factor of e^1 either way.
_PRIOR = np.array([0.10, 0.06, 0.06, 0.02, 0.05, 0.02, 0.04, 0.06])
_JUMPING = {"model_dataset", "dataset", "task", "category"}  # effects to which a candidate's own factor applies
_LEVEL = 1.0  # variance of a block's level: it can be anything
_PRIOR_CELLS = 4.0  # a candidate's own variance is mixed with 1 as if so many cells had shown that
_MOST_ROUNDS = 40


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Attributes:
        cells: what it rests on.
        variances: of `EFFECTS`.
        factor: candidate -> SD of its jumps relative to the others'.
        middle: mean value, subtracted before.
        inverse: (cells, cells) of the covariance.
    """

    cells: tuple[Cell, ...]
    variances: Floats
    factor: dict[Candidate, float]
    middle: float
    inverse: Floats


@dataclass(frozen=True, eq=False)
class Prediction:
    """Mean (k,) and covariance (k, k) of the candidates' values on the common scale, in one block."""

    candidates: tuple[Candidate, ...]
    mean: Floats
    covariance: Floats


def fit(cells: Sequence[Cell], *, task_variance: float = np.nan) -> Fit:
    """Estimate the variances, then the candidates' factors, then the variances again.

    Args:
        task_variance: of the effect of a task, measured between tasks of one dataset, which averaged cells do not show;
            the estimate is never below it.
    """
    known = tuple(cells)
    values = np.array([cell.value for cell in known])
    middle = float(values.mean())
    y = values - middle
    parts = _parts(known, known)
    fixed = _fixed(known, known)
    ones: dict[Candidate, float] = {}
    variances = _mode(_scaled(parts, known, known, ones), fixed, y, 2 * np.log(_PRIOR))
    factor = _factors(known, _scaled(parts, known, known, ones), fixed, y, variances)
    parts = _scaled(parts, known, known, factor)
    variances = _mode(parts, fixed, y, np.log(variances))
    variances[EFFECTS.index("task")] = np.fmax(variances[EFFECTS.index("task")], task_variance)
    covariance = np.tensordot(variances, parts, 1) + fixed
    return Fit(known, variances, factor, middle, np.asarray(np.linalg.inv(covariance), np.float64))


def predict(model: Fit, asked: Sequence[Cell], *, level: float | None = None, level_sd: float = 0.0) -> Prediction:
    """Values of the asked cells, whose `value` and `noise` count for nothing.

    Args:
        asked: all of one block.
        level, level_sd: of the block, where no known cell is in it.
    """
    wanted = tuple(asked)
    across = np.tensordot(model.variances, _scaled(_parts(wanted, model.cells), wanted, model.cells, model.factor), 1)
    across += _levels(wanted, model.cells)
    own = np.tensordot(model.variances, _scaled(_parts(wanted, wanted), wanted, wanted, model.factor), 1)
    seen = any(cell.block == wanted[0].block for cell in model.cells)
    own += _LEVEL if seen else level_sd**2
    y = np.array([cell.value for cell in model.cells]) - model.middle
    mean = across @ (model.inverse @ y) + (model.middle if seen or level is None else level)
    return Prediction(tuple(cell.candidate for cell in wanted), mean, own - across @ model.inverse @ across.T)


def _same(a: Sequence[Cell], b: Sequence[Cell], what: str) -> Floats:
    def column(cells: Sequence[Cell]) -> NDArray[np.str_]:
        picked = {
            "model": lambda cell: cell.candidate.model,
            "mode": lambda cell: cell.candidate.mode,
            "category": lambda cell: cell.category,
            "dataset": lambda cell: cell.dataset,
            "block": lambda cell: cell.block,
        }[what]
        return np.array([picked(cell) for cell in cells])

    return (column(a)[:, None] == column(b)[None, :]).astype(np.float64)


def _parts(a: Sequence[Cell], b: Sequence[Cell]) -> Floats:
    """(effects, a, b) covariance of each effect at variance 1."""
    model, mode, dataset = _same(a, b, "model"), _same(a, b, "mode"), _same(a, b, "dataset")
    both = model * mode
    asked = np.outer([cell.asked for cell in a], [cell.asked for cell in b])
    # The mean over n tasks keeps a part 1 / n of what is the task's own.
    alone = np.diag([0.0 if cell.asked else 1 / cell.tasks for cell in a]) if a is b else 0.0
    category = _same(a, b, "category")
    return np.stack(
        [model, mode, both, both * category, model * dataset, mode * dataset, both * dataset, both * asked + alone]
    )


def _levels(a: Sequence[Cell], b: Sequence[Cell]) -> Floats:
    return _LEVEL * _same(a, b, "block")


def _fixed(a: Sequence[Cell], b: Sequence[Cell]) -> Floats:
    return _levels(a, b) + np.diag([cell.noise + 1e-6 for cell in a])


def _scaled(parts: Floats, a: Sequence[Cell], b: Sequence[Cell], factor: dict[Candidate, float]) -> Floats:
    if not factor:
        return parts
    scale = np.outer([factor.get(cell.candidate, 1.0) for cell in a], [factor.get(cell.candidate, 1.0) for cell in b])
    return np.stack([part * scale if name in _JUMPING else part for name, part in zip(EFFECTS, parts, strict=True)])


def _mode(parts: Floats, fixed: Floats, y: Floats, start: Floats) -> Floats:
    """The variances with the largest posterior density of their logarithms."""
    prior = 2 * np.log(_PRIOR)

    def loss(logs: Floats) -> tuple[float, Floats]:
        variances = np.exp(logs)
        factored = cho_factor(np.tensordot(variances, parts, 1) + fixed, lower=True)
        inverse = cho_solve(factored, np.eye(len(y)))
        weights = inverse @ y
        off = (logs - prior) / 4  # two units of the log variance are one of the log SD
        value = 0.5 * y @ weights + np.log(np.diag(factored[0])).sum() + 0.5 * ((logs - prior) * off).sum()
        slope = 0.5 * variances * np.tensordot(parts, inverse - np.outer(weights, weights), 2) + off
        return float(value), slope

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _MOST_ROUNDS, "ftol": 1e-6})
    return np.asarray(np.exp(np.clip(found.x, -20, 5)))


def _factors(
    cells: Sequence[Cell], parts: Floats, fixed: Floats, y: Floats, variances: Floats
) -> dict[Candidate, float]:
    """From how far each cell is from what the others say of it, in units of what was to be expected."""
    inverse = np.linalg.inv(np.tensordot(variances, parts, 1) + fixed)
    surprise = np.minimum((inverse @ y) ** 2 / np.diag(inverse), 9.0)
    squares: dict[Candidate, list[float]] = {}
    for cell, square in zip(cells, surprise.tolist(), strict=True):
        squares.setdefault(cell.candidate, []).append(square)
    return {who: float(np.sqrt((_PRIOR_CELLS + sum(own)) / (_PRIOR_CELLS + len(own)))) for who, own in squares.items()}
