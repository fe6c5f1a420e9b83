"""Checks of the arrays that every metric takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import PredictionsError

FloatArray = NDArray[np.floating[Any]]


def check_arrays(targets: ArrayLike, predictions: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Both as float arrays of one shape (records, targets).

    float64 stays float64, because rounding scores would make ties; everything else becomes float32.

    Raises:
        PredictionsError: not numbers, not two-dimensional, different shapes, empty, infinite targets, or
            predictions that are NaN or infinite.
    """
    t, p = _as_float("targets", targets), _as_float("predictions", predictions)
    if t.ndim != 2 or t.shape != p.shape:
        raise PredictionsError(
            f"expected targets and predictions of one shape (records, targets), found {t.shape} and {p.shape}",
            fix="one row per record, one column per target; a single target is array[:, None]",
        )
    if 0 in t.shape:
        raise PredictionsError(f"nothing to evaluate: targets have shape {t.shape}", fix="give at least one record")
    check_finite(p)
    if np.isinf(t).any():
        row, column = _first(np.isinf(t))
        raise PredictionsError(f"row {row}, target {column}: the target is infinite, expected a number or NaN")
    return t, p


def check_finite(predictions: FloatArray) -> None:
    """Refuse NaN and infinite predictions: a diverged network must not score a silent 0.5."""
    finite = np.isfinite(predictions)
    if not finite.all():
        row, column = _first(~finite)
        raise PredictionsError(
            f"row {row}, target {column}: the prediction is {predictions[row, column]}, "
            f"expected a finite number ({int((~finite).sum())} of {finite.size} values are not)",
            fix="the training diverged or an input was broken: look at the model's outputs for this record",
        )


def check_binary(targets: FloatArray) -> None:
    """Refuse targets other than 0, 1 and NaN."""
    wrong = (targets != 0) & (targets != 1) & ~np.isnan(targets)
    if wrong.any():
        row, column = _first(wrong)
        raise PredictionsError(
            f"row {row}, target {column}: AUROC needs targets 0, 1 or NaN, found {targets[row, column]:g}",
            fix="evaluate regression targets with mae",
        )


def binary_columns(kinds: Sequence[str]) -> NDArray[np.bool_]:
    """True for `binary`, False for `regression`; anything else is an error."""
    for kind in kinds:
        if kind not in ("binary", "regression"):
            raise PredictionsError(f"target kind {kind!r}: expected 'binary' or 'regression'")
    return np.array([kind == "binary" for kind in kinds], dtype=bool)


def _as_float(name: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise PredictionsError(f"{name}: expected numbers, found an array of {array.dtype}")
    # float32 only where it holds every value: rounding would make ties.
    small = array.dtype.kind == "b" or (array.dtype.itemsize <= (4 if array.dtype.kind == "f" else 2))
    return array.astype(np.float32 if small else np.float64, copy=False)


def _first(mask: NDArray[np.bool_]) -> tuple[int, int]:
    row, column = np.argwhere(mask)[0]
    return int(row), int(column)
