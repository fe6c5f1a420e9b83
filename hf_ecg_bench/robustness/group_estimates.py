"""Metrics inside and outside of each group of a partition of the records, on the records and in every resample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, check_binary
from hf_ecg_bench.evaluation.group_auroc import group_auroc
from hf_ecg_bench.evaluation.mae import absolute_errors
from hf_ecg_bench.evaluation.resampling import Resamples
from hf_ecg_bench.evaluation.scores import MIN_SUPPORT
from hf_ecg_bench.evaluation.undefined import macro_mean
from hf_ecg_bench.evaluation.weighted_auroc import label_order

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Samples:
    """A value and the same in every resample, (resamples,); `n_labels`: over how many labels a mean was taken."""

    value: float
    samples: Floats
    n_labels: int | None = None


@dataclass(frozen=True, eq=False)
class GroupScores:
    """One group's metrics by name, and group minus rest.

    Attributes:
        inside: of the group's own records.
        difference: over the targets that are defined in the group and in the rest.
        defined: (yes/no targets,) whether the group has positives and negatives.
    """

    inside: dict[str, Samples]
    difference: dict[str, Samples]
    defined: NDArray[np.bool_]


def group_scores(
    targets: FloatArray,
    predictions: FloatArray,
    binary: NDArray[np.bool_],
    group: NDArray[np.intp],
    n_groups: int,
    resamples: Resamples,
) -> list[GroupScores]:
    """The scores of groups 0 to n_groups - 1; every record is in one of them.

    Args:
        targets, predictions: (records, targets), checked.
        binary: (targets,) which are yes/no.
        group: (records,).
    """
    inside: list[dict[str, Samples]] = [{} for _ in range(n_groups)]
    difference: list[dict[str, Samples]] = [{} for _ in range(n_groups)]
    defined = np.zeros((n_groups, 0), bool)
    if binary.any():
        defined = _labels(targets[:, binary], predictions[:, binary], group, n_groups, resamples, inside, difference)
    if not binary.all():
        _errors(targets[:, ~binary], predictions[:, ~binary], group, n_groups, resamples, inside, difference)
    return [GroupScores(*parts) for parts in zip(inside, difference, defined, strict=True)]


def _labels(
    targets: FloatArray,
    predictions: FloatArray,
    group: NDArray[np.intp],
    n_groups: int,
    resamples: Resamples,
    inside: list[dict[str, Samples]],
    difference: list[dict[str, Samples]],
) -> NDArray[np.bool_]:
    """Fill in the AUROCs; returns (groups, labels) whether a label is defined in a group."""
    check_binary(targets)
    # The first column of the counts is the records themselves, the others the resamples.
    counts = np.hstack([np.ones((len(targets), 1), resamples.counts.dtype), resamples.counts])
    parts = np.empty((2, n_groups, counts.shape[1], targets.shape[1]))
    for column in range(targets.shape[1]):
        order = label_order(targets[:, column], predictions[:, column])
        parts[..., column] = group_auroc(order, group, n_groups, counts)
    (values, others), samples = parts[:, :, 0], parts[:, :, 1:]
    support = _support(targets, group, n_groups)
    rest = support.sum(axis=0) - support
    enough = np.all(support >= MIN_SUPPORT, axis=1)
    enough_outside = np.all(rest >= MIN_SUPPORT, axis=1)
    for g in range(n_groups):
        own, gap = ~np.isnan(values[g]), values[g] - others[g]
        for name, chosen in (("macro_auroc", own), ("macro_auroc_supported", enough[g])):
            if chosen.any():
                inside[g][name] = _mean(values[g], samples[0, g], chosen)
        both = ~np.isnan(gap)
        for name, chosen in (("macro_auroc", both), ("macro_auroc_supported", enough[g] & enough_outside[g])):
            if chosen.any():
                difference[g][name] = _mean(gap, samples[0, g] - samples[1, g], chosen)
    return ~np.isnan(values)


def _mean(values: Floats, samples: Floats, chosen: NDArray[np.bool_]) -> Samples:
    """Mean over the chosen labels; in a resample, over those of them that are defined there."""
    return Samples(float(values[chosen].mean()), macro_mean(samples[:, chosen]), int(chosen.sum()))


def _support(targets: FloatArray, group: NDArray[np.intp], n_groups: int) -> NDArray[np.int64]:
    """(groups, 2, labels): positives and negatives."""
    found = np.zeros((n_groups, 2, targets.shape[1]), np.int64)
    for position, value in enumerate((1, 0)):
        np.add.at(found[:, position], group, targets == value)
    return found


def _errors(
    targets: FloatArray,
    predictions: FloatArray,
    group: NDArray[np.intp],
    n_groups: int,
    resamples: Resamples,
    inside: list[dict[str, Samples]],
    difference: list[dict[str, Samples]],
) -> None:
    """Fill in the mean absolute errors."""
    errors = absolute_errors(targets, predictions)
    valid = ~np.isnan(errors)
    errors = np.where(valid, errors, 0.0)
    # The first row of each is the records themselves, the others the resamples.
    counts = np.vstack([np.ones(len(errors)), resamples.counts.T.astype(np.float64)])
    total = np.stack([counts[:, group == g] @ errors[group == g] for g in range(n_groups)])
    number = np.stack([counts[:, group == g] @ valid[group == g].astype(np.float64) for g in range(n_groups)])
    for g in range(n_groups):
        own = _ratio(total[g], number[g])
        pooled = _ratio(total[g].sum(axis=1), number[g].sum(axis=1))
        total_rest, number_rest = total.sum(axis=0) - total[g], number.sum(axis=0) - number[g]
        gap = own - _ratio(total_rest, number_rest)
        pooled_gap = pooled - _ratio(total_rest.sum(axis=1), number_rest.sum(axis=1))
        for place, per_target, overall in ((inside, own, pooled), (difference, gap, pooled_gap)):
            macro = macro_mean(per_target)
            if np.isfinite(macro[0]):
                place[g]["macro_mae"] = Samples(float(macro[0]), macro[1:])
                place[g]["pooled_mae"] = Samples(float(overall[0]), overall[1:])


def _ratio(total: Floats, number: Floats) -> Floats:
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
