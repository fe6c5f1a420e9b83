"""Metrics per target on the records and on every resample: what overall metrics and intervals are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, check_binary
from hf_ecg_bench.evaluation.auroc import auroc
from hf_ecg_bench.evaluation.average_precision import average_precision
from hf_ecg_bench.evaluation.brier import brier, squared_errors
from hf_ecg_bench.evaluation.f1 import f1, f1_of, label_cells, micro_f1, micro_f1_of
from hf_ecg_bench.evaluation.mae import absolute_errors, mae, pooled_mae
from hf_ecg_bench.evaluation.parallel import each_label
from hf_ecg_bench.evaluation.r2 import centred_targets, r2, r2_of
from hf_ecg_bench.evaluation.ratio import ratio
from hf_ecg_bench.evaluation.resampling import Resamples
from hf_ecg_bench.evaluation.weighted_auroc import label_order, weighted_auroc
from hf_ecg_bench.evaluation.weighted_precision import weighted_curves
from hf_ecg_bench.evaluation.weighted_sums import weighted_sums

Floats = NDArray[np.float64]

#: A value over all targets, and the same in every resample, (resamples,).
Overall = tuple[float, Floats]


@dataclass(frozen=True, eq=False)
class Block:
    """A metric of several targets, NaN where undefined.

    Attributes:
        value: (targets,).
        samples: (resamples, targets).
    """

    value: Floats
    samples: Floats

    def of(self, columns: NDArray[np.intp]) -> Block:
        """Some of the targets."""
        # In C order, as they were estimated: sums over another order differ in their last digit.
        return Block(self.value[columns], np.ascontiguousarray(self.samples[:, columns]))


def auroc_block(t: FloatArray, p: FloatArray, resamples: Resamples) -> Block:
    """AUROC of each label."""
    check_binary(t)

    def one(column: int) -> Floats:
        return weighted_auroc(label_order(t[:, column], p[:, column]), resamples.counts)

    return Block(auroc(t, p), _columns(one, t, resamples))


def curve_blocks(t: FloatArray, p: FloatArray, resamples: Resamples) -> tuple[Block, Block]:
    """AUROC and average precision of each label, from one pass over the resamples."""
    check_binary(t)

    def one(column: int) -> Floats:
        return np.stack(weighted_curves(t[:, column], p[:, column], resamples.counts), axis=1)

    samples = _columns(one, t, resamples, 2)
    areas, precisions = (np.ascontiguousarray(samples[:, :, k]) for k in (0, 1))
    return Block(auroc(t, p), areas), Block(average_precision(t, p), precisions)


def brier_block(t: FloatArray, p: FloatArray, resamples: Resamples) -> Block:
    """Brier score of each label; predictions are probabilities."""
    total, number = _sums(t, resamples, lambda rows: [squared_errors(t[rows], p[rows])])
    return Block(brier(t, p), ratio(total, number))


def f1_block(t: FloatArray, p: FloatArray, thresholds: Floats, resamples: Resamples) -> tuple[Block, Overall]:
    """F1 of each label at its threshold, and the micro F1."""
    hit, called, positive = weighted_sums(resamples.counts, lambda rows: label_cells(t[rows], p[rows], thresholds))
    micro = micro_f1(t, p, thresholds), micro_f1_of(hit, called, positive, thresholds)
    return Block(f1(t, p, thresholds), f1_of(hit, called, positive, thresholds)), micro


def mae_block(t: FloatArray, p: FloatArray, resamples: Resamples) -> tuple[Block, Overall]:
    """Mean absolute error of each target, and over all their values."""
    total, number = _sums(t, resamples, lambda rows: [absolute_errors(t[rows], p[rows])])
    pooled = ratio(total.sum(axis=1), number.sum(axis=1))
    return Block(mae(t, p), ratio(total, number)), (pooled_mae(t, p), pooled)


def r2_block(t: FloatArray, p: FloatArray, resamples: Resamples) -> Block:
    """R2 of each target; the mean that it is compared with is that of the resample."""
    centred = centred_targets(t)

    def values(rows: slice) -> list[NDArray[Any]]:
        return [squared_errors(t[rows], p[rows]), centred[rows], np.square(centred[rows])]

    error, total, square, number = _sums(t, resamples, values)
    return Block(r2(t, p), r2_of(error, total, square, number))


def _sums(t: FloatArray, resamples: Resamples, values: Callable[[slice], Sequence[NDArray[Any]]]) -> tuple[Floats, ...]:
    """(resamples, targets) sums of each array over the known targets, and at the end the numbers of known targets."""

    def known(rows: slice) -> list[NDArray[Any]]:
        there = ~np.isnan(t[rows])
        return [*(np.where(there, array, 0.0) for array in values(rows)), there]

    return weighted_sums(resamples.counts, known)


def _columns(one: Callable[[int], Floats], t: FloatArray, resamples: Resamples, *shape: int) -> Floats:
    """(resamples, labels, *shape): what `one` gives for each label."""
    n_labels, n_resamples = t.shape[1], resamples.n_resamples
    samples = np.empty((n_resamples, n_labels, *shape))
    for column, found in enumerate(each_label(one, n_labels, len(t) * n_labels * n_resamples)):
        samples[:, column] = found
    return samples
