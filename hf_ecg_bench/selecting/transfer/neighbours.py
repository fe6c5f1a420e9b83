"""What the nearest records of other patients say: exact, in blocks, float32 products."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.selecting.transfer.columns import Floats, Targets, check_features

_BLOCK = 512  # queries: their distances to 20,000 records are 40 MB


def neighbour_predictions(features: ArrayLike, targets: Targets, patients: ArrayLike, *, k: int = 20) -> Floats:
    """(records, targets) mean target of the k nearest records of other patients, by Euclidean distance of features that
    are standardised per dimension; NaN where none of them has the target.

    Args:
        features: (records, dim).
        patients: (records,) a number or text per patient; a record of an unknown patient needs one of its own.
        k: how many; all others where there are fewer.

    Raises:
        EcgBenchError: shapes that do not fit, or records of one patient only.
    """
    f = check_features(features, len(targets.values))
    _, group = np.unique(np.asarray(patients), return_inverse=True)
    if len(group) != len(f):
        raise EcgBenchError(f"expected a patient for each of {len(f)} records, found {len(group)}")
    if len(f) - np.bincount(group).max(initial=0) < 1:
        raise EcgBenchError("nearest neighbours need records of more than one patient")
    spread = f.std(0, dtype=np.float64)
    z = ((f - f.mean(0, dtype=np.float64)) / np.where(spread > 0, spread, 1)).astype(np.float32)
    half = 0.5 * (z.astype(np.float64) ** 2).sum(1).astype(np.float32)
    known = ~np.isnan(targets.values)
    filled = np.where(known, targets.values, 0).astype(np.float32)
    whole = bool(known.all())
    result = np.empty(targets.values.shape)
    members = _members(group)
    for start in range(0, len(z), _BLOCK):
        queries = slice(start, min(start + _BLOCK, len(z)))
        near = z[queries] @ z.T - half  # larger is nearer: the query's own length changes no order
        for row, own in enumerate(group[queries]):
            near[row, members[own]] = -np.inf
        number = min(k, near.shape[1] - 1)
        chosen = np.argpartition(near, -number, axis=1)[:, -number:]
        # Fewer than k others: what is left of the chosen are the patient's own records, which must not count.
        allowed = np.isfinite(np.take_along_axis(near, chosen, 1))
        result[queries] = _mean(chosen, allowed, filled, None if whole else known)
    return result


def _members(group: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group))[:-1])


def _mean(
    chosen: NDArray[np.intp], allowed: NDArray[np.bool_], filled: NDArray[np.float32], known: NDArray[np.bool_] | None
) -> Floats:
    total = np.zeros((len(chosen), filled.shape[1]))
    number = np.zeros_like(total)
    for place in range(chosen.shape[1]):
        rows, counts = chosen[:, place], allowed[:, place, None]
        total += filled[rows] * counts
        number += counts if known is None else known[rows] & counts
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(number > 0, total / number, np.nan))
