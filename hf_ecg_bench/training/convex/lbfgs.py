"""Many convex problems over the same features at once, each by its own L-BFGS.

The problems are the columns (targets) of a linear model: they share the two large matrix products of an iteration and
nothing else, so that each has its own step length and memory and leaves when it has converged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

_MEMORY = 10
_MAX_ITERATIONS = 500
_MAX_STEPS = 30  # of a line search
# Of the slope at the start of a line search, what may be left at its end, before and behind the minimum.
_LEFT, _BEHIND = 0.9, 0.5


class Columns(Protocol):
    """The smooth part of the problems: sums of a function of each row's output.

    Their parameters are the columns of a (parameters, columns) matrix.
    """

    def outputs(self, parameters: Tensor) -> Tensor:
        """(rows, columns): linear in the parameters."""

    def pull(self, slopes: Tensor) -> Tensor:
        """(parameters, columns): the adjoint of `outputs`."""

    def slopes(self, outputs: Tensor, columns: Tensor) -> Tensor:
        """(rows, columns): derivative of the objective by each output."""


@dataclass
class Minimum:
    """Where the minimiser ended.

    Attributes:
        parameters: (parameters, columns).
        gradient: (columns,) Euclidean norm of the gradient there.
        iterations: (columns,).
        converged: (columns,) whether the gradient fell below the tolerance.
    """

    parameters: Tensor
    gradient: Tensor
    iterations: Tensor
    converged: Tensor


def minimise(
    problem: Columns, start: Tensor, ridge: Tensor, curvature: Tensor, tolerance: Tensor,
    max_iterations: int = _MAX_ITERATIONS,
) -> Minimum:  # fmt: skip
    """Minimise sum(f(outputs)) + sum(ridge * parameters^2) / 2, column by column.

    L-BFGS (Liu and Nocedal, Mathematical Programming 45, 1989) that starts from a diagonal estimate of the Hessian
    in place of a multiple of the identity. The line search asks only for slopes, as the approximate Wolfe conditions
    do (Hager and Zhang, SIAM J. Optim. 16, 2005): near the minimum, values differ by less than they are rounded.

    Args:
        problem: the smooth part.
        start: (parameters, columns).
        ridge: (parameters, 1) >= 0.
        curvature: (parameters, columns) > 0, the diagonal estimate of the whole Hessian, `ridge` included.
        tolerance: (columns,) of the gradient's norm.
        max_iterations: after which a column is given up as it is.
    """
    result = Minimum(
        start.clone(),
        torch.zeros_like(tolerance),
        torch.zeros(start.shape[1], dtype=torch.long),
        torch.zeros(start.shape[1], dtype=torch.bool),
    )
    columns = torch.arange(start.shape[1])
    at, inverse = start, 1 / curvature
    outputs = problem.outputs(at)
    gradient = problem.pull(problem.slopes(outputs, columns)) + ridge * at
    moves: list[tuple[Tensor, Tensor, Tensor]] = []
    for iteration in range(max_iterations + 1):
        norm = gradient.norm(dim=0)
        done = norm <= tolerance[columns]
        leave = done | torch.full_like(done, iteration == max_iterations)
        if leave.any():
            gone = columns[leave]
            result.parameters[:, gone] = at[:, leave]
            result.gradient[gone], result.iterations[gone] = norm[leave], iteration
            result.converged[gone] = done[leave]
            stay = ~leave
            columns, at, inverse = columns[stay], at[:, stay], inverse[:, stay]
            outputs, gradient = outputs[:, stay], gradient[:, stay]
            moves = [(step[:, stay], change[:, stay], weight[stay]) for step, change, weight in moves]
        if not len(columns):
            break
        direction = _direction(gradient, inverse, moves)
        uphill = (direction * gradient).sum(0) >= 0
        if uphill.any():  # rounding got the better of the memory
            direction = torch.where(uphill, -inverse * gradient, direction)
        length, outputs, slopes = _search(problem, columns, at, outputs, direction, gradient, ridge)
        step = length * direction
        at = at + step
        new = problem.pull(slopes) + ridge * at
        change = new - gradient
        product = (step * change).sum(0)
        moves = [*moves[-_MEMORY + 1 :], (step, change, torch.where(product > 0, 1 / product, 0.0))]
        gradient = new
    return result


def _direction(gradient: Tensor, inverse: Tensor, moves: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """Minus the two-loop product of the inverse Hessian's estimate with the gradient; weight 0 skips a move."""
    rest = gradient
    factors = []
    for step, change, weight in reversed(moves):
        factor = weight * (step * rest).sum(0)
        rest = rest - factor * change
        factors.append(factor)
    scale = torch.ones_like(gradient[0])
    if moves:
        step, change, weight = moves[-1]
        scale = torch.where(weight > 0, (step * change).sum(0) / (change * inverse * change).sum(0), scale)
    result = scale * inverse * rest
    for (step, change, weight), factor in zip(moves, reversed(factors), strict=True):
        result = result + (factor - weight * (change * result).sum(0)) * step
    return -result


def _search(
    problem: Columns, columns: Tensor, at: Tensor, outputs: Tensor, direction: Tensor, gradient: Tensor, ridge: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Step lengths by doubling and halving, with the outputs and their slopes there.

    The slope along a line rises monotonically, as the problem is convex: no function value is needed to bracket.
    """
    along = problem.outputs(direction)
    first = (direction * gradient).sum(0)
    linear, square = (ridge * at * direction).sum(0), (ridge * direction * direction).sum(0)
    low, high = torch.zeros_like(first), torch.full_like(first, torch.inf)
    length = torch.ones_like(first)
    for _ in range(_MAX_STEPS):
        there = outputs + length * along
        slopes = problem.slopes(there, columns)
        slope = (slopes * along).sum(0) + linear + length * square
        short, far = slope < _LEFT * first, slope > -_BEHIND * first
        if not (short | far).any():
            break
        low, high = torch.where(short, length, low), torch.where(far, length, high)
        middle = torch.where(high.isinf(), 2 * low, (low + high) / 2)
        length = torch.where(short | far, middle, length)
    else:
        there = outputs + length * along
        slopes = problem.slopes(there, columns)
    return length, there, slopes
