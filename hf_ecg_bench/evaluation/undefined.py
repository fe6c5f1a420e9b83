"""What a mean over targets does with a target whose metric is undefined (one class only, or no value)."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import PredictionsError, unknown_name

Undefined = Literal["drop", "half", "nan", "raise"]


def check_policy(policy: str) -> None:
    """Refuse a policy that does not exist."""
    if policy not in get_args(Undefined):
        raise unknown_name("policy for undefined labels", policy, get_args(Undefined))


def macro_mean(values: NDArray[Any], policy: Undefined = "drop") -> NDArray[np.float64]:
    """Mean over the last axis, where NaN is an undefined target.

    `drop` leaves undefined targets out (the default; NaN if none is left), `half` counts each as 0.5 (what
    the published benchmark does), `nan` gives NaN, `raise` an error that says which positions are undefined.
    """
    check_policy(policy)
    undefined = np.isnan(values)
    if policy == "raise" and undefined.any():
        columns = np.flatnonzero(undefined.reshape(-1, values.shape[-1]).any(axis=0))
        listed = ", ".join(str(column) for column in columns[:5]) + (", ..." if len(columns) > 5 else "")
        raise PredictionsError(
            f"undefined for {len(columns)} of {values.shape[-1]} targets (positions {listed}): "
            "no positive or no negative record, or no value at all",
            fix="undefined='drop' leaves them out and reports how many",
        )
    if policy == "nan" or not undefined.any():
        return np.asarray(values.mean(axis=-1))
    if policy == "half":
        return np.asarray(np.where(undefined, 0.5, values).mean(axis=-1))
    count = (~undefined).sum(axis=-1)
    total = np.where(undefined, 0.0, values).sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0))
