"""All metrics that a task's kinds of targets allow, on the records and on every resample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray
from hf_ecg_bench.evaluation.blocks import (
    Block,
    Overall,
    brier_block,
    curve_blocks,
    f1_block,
    mae_block,
    r2_block,
)
from hf_ecg_bench.evaluation.brier import are_probabilities
from hf_ecg_bench.evaluation.calibration import binned_excess, calibration_error_of
from hf_ecg_bench.evaluation.estimates import macro_of
from hf_ecg_bench.evaluation.f1 import sample_f1_of, sample_parts
from hf_ecg_bench.evaluation.micro import micro_curves, micro_points
from hf_ecg_bench.evaluation.resampling import Resamples
from hf_ecg_bench.evaluation.thresholds import Thresholds
from hf_ecg_bench.evaluation.undefined import Undefined
from hf_ecg_bench.evaluation.weighted_sums import weighted_sums

MIN_SUPPORT = 10
#: Cells up to which micro AUROC and average precision are resampled; above it they have a value, but no interval.
MICRO_CELLS = 500_000

_NO_THRESHOLDS = "needs thresholds from validation predictions: on the test records themselves they would flatter"
_NO_PROBABILITIES = "the predictions are not from 0 to 1"


@dataclass(frozen=True, eq=False)
class Scores:
    """What was computed.

    Attributes:
        overall: (value, values per resample) by metric, in the order in which they are told.
        blocks: values per target by metric (auroc, average_precision, f1, brier: of the binary targets; mae, r2: of
            the others).
        left_out: why a metric, or its interval, is not there.
        thresholds: that F1 was computed at.
    """

    overall: dict[str, Overall] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    thresholds: Thresholds | None = None


#: Per-target metrics of binary targets, in the order in which they are told.
OF_LABELS = ("auroc", "average_precision", "f1", "brier")
OF_NUMBERS = ("mae", "r2")


def score(
    t: FloatArray,
    p: FloatArray,
    binary: NDArray[np.bool_],
    resamples: Resamples,
    undefined: Undefined,
    thresholds: Thresholds | None = None,
    known: Mapping[str, Block] | None = None,
) -> Scores:
    """Compute them.

    Args:
        t, p: (records, targets), checked.
        binary: (targets,) which targets are labels.
        undefined: policy for the AUROCs; the other metrics leave undefined targets out.
        thresholds: of the binary targets.
        known: blocks that are there already, of the same targets and resamples.
    """
    found = Scores(thresholds=thresholds)
    blocks = found.blocks
    blocks |= known or {}
    if binary.any():
        labels = t[:, binary], p[:, binary]
        _rank(found, *labels, resamples, undefined)
        _decide(found, *labels, resamples)
        _calibrate(found, *labels, resamples)
    if not binary.all():
        numbers = t[:, ~binary], p[:, ~binary]
        blocks["mae"], pooled = mae_block(*numbers, resamples)
        blocks["r2"] = r2_block(*numbers, resamples)
        found.overall["macro_mae"] = macro_of(blocks["mae"])
        found.overall["pooled_mae"] = pooled
        found.overall["macro_r2"] = macro_of(blocks["r2"])
    if binary.any() and not binary.all():
        (auroc, auroc_samples), (mae, mae_samples) = found.overall["macro_auroc"], found.overall["pooled_mae"]
        found.overall["composite"] = 1.0 - auroc + mae, 1.0 - auroc_samples + mae_samples
    return found


def supported_labels(targets: FloatArray) -> NDArray[np.bool_]:
    """Labels with at least MIN_SUPPORT positives and negatives; the same for every model of a task."""
    return ((targets == 1).sum(axis=0) >= MIN_SUPPORT) & ((targets == 0).sum(axis=0) >= MIN_SUPPORT)


def _rank(found: Scores, t: FloatArray, p: FloatArray, resamples: Resamples, undefined: Undefined) -> None:
    """AUROC and average precision."""
    if "auroc" not in found.blocks:
        found.blocks["auroc"], found.blocks["average_precision"] = curve_blocks(t, p, resamples)
    block = found.blocks["auroc"]
    found.overall["macro_auroc"] = macro_of(block, undefined)
    supported = supported_labels(t)
    if supported.any():
        found.overall["macro_auroc_supported"] = macro_of(block.of(np.flatnonzero(supported)))
    found.overall["macro_average_precision"] = macro_of(found.blocks["average_precision"])
    if t.shape[1] == 1:
        return
    if t.size <= MICRO_CELLS:
        micro = micro_curves(t, p, resamples)
    else:
        micro = micro_points(t, p, resamples.n_resamples)
        for name in ("micro_auroc", "micro_average_precision"):
            found.left_out[name] = f"no interval: {t.size} cells are too many to resample (up to {MICRO_CELLS} are)"
    found.overall["micro_auroc"], found.overall["micro_average_precision"] = micro


def _decide(found: Scores, t: FloatArray, p: FloatArray, resamples: Resamples) -> None:
    """F1 at the thresholds."""
    names = ("macro_f1", "micro_f1", "sample_fmax") if t.shape[1] > 1 else ("macro_f1",)
    if found.thresholds is None:
        found.left_out.update(dict.fromkeys(names, _NO_THRESHOLDS))
        return
    found.blocks["f1"], micro = f1_block(t, p, found.thresholds.labels, resamples)
    found.overall["macro_f1"] = macro_of(found.blocks["f1"])
    if t.shape[1] > 1:
        found.overall["micro_f1"] = micro
        parts = sample_parts(t, p, found.thresholds.sample)
        (sums,) = weighted_sums(resamples.counts, lambda rows: [parts[rows]])
        found.overall["sample_fmax"] = float(sample_f1_of(parts.sum(axis=0))), sample_f1_of(sums)


def _calibrate(found: Scores, t: FloatArray, p: FloatArray, resamples: Resamples) -> None:
    """Brier score and calibration error, of probabilities."""
    if not are_probabilities(p):
        found.left_out.update(dict.fromkeys(("macro_brier", "calibration_error"), _NO_PROBABILITIES))
        return
    if "brier" not in found.blocks:
        found.blocks["brier"] = brier_block(t, p, resamples)
    found.overall["macro_brier"] = macro_of(found.blocks["brier"])
    excess, number = binned_excess(t, p)
    value = float(calibration_error_of(excess.sum(axis=0), number.sum(axis=0)))
    sums = weighted_sums(resamples.counts, lambda rows: [excess[rows], number[rows]])
    found.overall["calibration_error"] = value, calibration_error_of(*sums)
