"""Which targets can be scored, and which of them share their records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import EcgBenchError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of the training records.

    Attributes:
        values: (records, targets) float64, NaN where missing; yes/no targets are 0 and 1.
        is_regression: (targets,) bool.
        usable: (targets,) bool: enough records of either class, or numbers with any spread.
    """

    values: Floats
    is_regression: NDArray[np.bool_]
    usable: NDArray[np.bool_]


def make_targets(values: ArrayLike, is_regression: ArrayLike | None = None, *, support: int = 10) -> Targets:
    """Targets with what is usable of them.

    Args:
        values: (records, targets), NaN where missing.
        is_regression: (targets,) bool; None: none is.
        support: fewest records of either class, and fewest numbers of a regression target.

    Raises:
        EcgBenchError: a shape that does not fit, or a yes/no target that is neither 0 nor 1.
    """
    y = np.asarray(values, np.float64)
    if y.ndim != 2:
        raise EcgBenchError(f"expected targets (records, targets), found shape {y.shape}")
    regression = np.zeros(y.shape[1], bool) if is_regression is None else np.asarray(is_regression, bool)
    if regression.shape != (y.shape[1],):
        raise EcgBenchError(f"expected a kind for each of {y.shape[1]} targets, found shape {regression.shape}")
    labels = y[:, ~regression]
    if not (np.isnan(labels) | (labels == 0) | (labels == 1)).all():
        raise EcgBenchError("yes/no targets have to be 0, 1 or NaN")
    if np.isinf(y).any():
        raise EcgBenchError("targets have to be finite, or NaN where missing")
    number = (~np.isnan(y)).sum(0)
    ones = (y == 1).sum(0)
    centred = np.nan_to_num(y - np.nansum(y, 0) / np.maximum(number, 1))
    spread = (centred**2).sum(0) > 1e-12 * np.nansum(y**2, 0)
    enough = np.where(regression, (number >= support) & spread, (ones >= support) & (number - ones >= support))
    return Targets(y, regression, enough)


def check_features(features: ArrayLike, records: int) -> NDArray[np.floating]:
    """(records, dim) of finite numbers, float32 or float64.

    Raises:
        EcgBenchError: something else.
    """
    found = np.asarray(features)
    if found.ndim != 2 or len(found) != records or found.dtype.kind != "f":
        raise EcgBenchError(f"expected float features ({records}, dim), found {found.dtype} {found.shape}")
    if not np.isfinite(found).all():
        raise EcgBenchError("features have to be finite")
    return found


def same_records(targets: Targets) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Usable targets by which records they are known for: (columns, records) each, so that they share one matrix."""
    columns = np.flatnonzero(targets.usable)
    known = ~np.isnan(targets.values[:, columns])
    groups: dict[bytes, list[int]] = {}
    for position in range(len(columns)):
        groups.setdefault(np.packbits(known[:, position]).tobytes(), []).append(position)
    for positions in groups.values():
        yield columns[positions], np.flatnonzero(known[:, positions[0]])
