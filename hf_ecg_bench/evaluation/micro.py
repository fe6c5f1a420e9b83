"""Micro AUROC and average precision: one curve over all (record, label) cells, resampled by record."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.evaluation.arrays import FloatArray, check_binary
from hf_ecg_bench.evaluation.auroc import micro_auroc
from hf_ecg_bench.evaluation.average_precision import micro_average_precision
from hf_ecg_bench.evaluation.blocks import Overall
from hf_ecg_bench.evaluation.resampling import Resamples
from hf_ecg_bench.evaluation.weighted_precision import weighted_curves


def micro_curves(t: FloatArray, p: FloatArray, resamples: Resamples) -> tuple[Overall, Overall]:
    """(value, (resamples,) values) of the micro AUROC and of the micro average precision."""
    check_binary(t)
    # Every cell of a record counts: the sums grow by the number of labels.
    counts = resamples.counts.astype(np.uint32)
    auroc, precision = weighted_curves(t.ravel(), p.ravel(), counts, width=t.shape[1])
    return (micro_auroc(t, p), auroc), (micro_average_precision(t, p), precision)


def micro_points(t: FloatArray, p: FloatArray, n_resamples: int) -> tuple[Overall, Overall]:
    """The same without resamples: NaN in each."""
    nothing = np.full(n_resamples, np.nan)
    return (micro_auroc(t, p), nothing), (micro_average_precision(t, p), nothing)
