"""What `score` prints and result.json stores: metrics with intervals, counts per target, the resampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.arrays import FloatArray, binary_columns, check_arrays
from hf_ecg_bench.evaluation.blocks import Overall
from hf_ecg_bench.evaluation.intervals import metric_interval
from hf_ecg_bench.evaluation.resampling import Resamples, draw_resamples, known_groups
from hf_ecg_bench.evaluation.scores import MIN_SUPPORT, OF_LABELS, OF_NUMBERS, Scores, score, supported_labels
from hf_ecg_bench.evaluation.thresholds import Thresholds, choose_thresholds
from hf_ecg_bench.evaluation.undefined import Undefined, check_policy

CONFIDENCE = 0.95

#: Targets and predictions of validation records, (records, targets) each, the same targets.
Validation = tuple[ArrayLike, ArrayLike]


def summarise(
    targets: ArrayLike,
    predictions: ArrayLike,
    names: Sequence[str],
    kinds: Sequence[str],
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    undefined: Undefined = "drop",
    validation: Validation | None = None,
) -> dict[str, Any]:
    """Every metric that the targets' kinds allow, each with its 95 % bootstrap interval (see `metric_interval`).

    Args:
        targets, predictions: (records, targets), NaN = missing target.
        names, kinds: name and `binary` or `regression` per target.
        groups: (records,) patient ids; a record without one (None) counts as a patient of its own.
        undefined: what labels without positives or negatives do to the macro AUROC (see `bootstrap`). From the other
            means they are left out.
        validation: targets and predictions of validation records, on which the thresholds of F1 are chosen; without
            them there is no F1.

    Returns:
        {"n": records,
         "metrics": {"macro_auroc": {value, low, high}, "macro_auroc_supported": {..., n_labels} (labels with
            at least 10 positives and 10 negatives), "macro_average_precision", "micro_auroc",
            "micro_average_precision", "macro_f1": {..., n_labels}, "micro_f1", "sample_fmax": {..., threshold},
            "macro_brier", "calibration_error", "macro_mae", "pooled_mae", "macro_r2", "composite"},
         "targets": {name: {kind, "auroc", "average_precision", "f1", "brier", "mae", "r2" (those of its kind):
            {value, low, high}, n, n_missing, n_positive, n_negative, threshold,
            undefined_fraction: share of resamples without an AUROC or MAE}},
         "resampling": {unit, n_groups, n_resamples, seed, undefined, confidence, min_support, n_labels,
            n_undefined_labels},
         "left_out": {metric: why it, or its interval, is not there}}
        The composite is (1 - macro AUROC) + pooled MAE, resampled as a whole. Undefined values are NaN. Micro and
        sample-centric metrics are there from two labels on; micro AUROC and average precision are resampled up to
        500,000 (record, label) cells and have no interval (NaN) above.

    Raises:
        PredictionsError: arrays, names or kinds that do not fit.
    """
    t, p, binary = checked(targets, predictions, names, kinds, undefined)
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=known_groups(groups))
    thresholds = thresholds_of(validation, binary)
    return as_summary(t, names, kinds, resamples, score(t, p, binary, resamples, undefined, thresholds), undefined)


def as_summary(
    t: FloatArray,
    names: Sequence[str],
    kinds: Sequence[str],
    resamples: Resamples,
    scores: Scores,
    undefined: Undefined,
) -> dict[str, Any]:
    """The dictionary that `summarise` returns."""
    binary = binary_columns(kinds)
    metrics = {name: interval_of(name, item, undefined) for name, item in scores.overall.items()}
    if "macro_auroc_supported" in metrics:
        metrics["macro_auroc_supported"]["n_labels"] = int(supported_labels(t[:, binary]).sum())
    if "macro_f1" in metrics:
        metrics["macro_f1"]["n_labels"] = int((~np.isnan(scores.blocks["f1"].value)).sum())
    if "sample_fmax" in metrics and scores.thresholds is not None:
        metrics["sample_fmax"]["threshold"] = scores.thresholds.sample
    return {
        "n": len(t),
        "metrics": metrics,
        "targets": {
            name: {"kind": kind, **_counts(t[:, column], kind), **item}
            for column, (name, kind, item) in enumerate(
                zip(names, kinds, _per_target(binary, scores, undefined), strict=True)
            )
        },
        "resampling": {
            "unit": resamples.unit,
            "n_groups": resamples.n_groups,
            "n_resamples": resamples.n_resamples,
            "seed": resamples.seed,
            "undefined": undefined,
            "confidence": CONFIDENCE,
            "min_support": MIN_SUPPORT,
            "n_labels": int(binary.sum()),
            "n_undefined_labels": int(np.isnan(scores.blocks["auroc"].value).sum()) if binary.any() else 0,
        },
        "left_out": dict(scores.left_out),
    }


def thresholds_of(validation: Validation | None, binary: NDArray[np.bool_]) -> Thresholds | None:
    """The labels' thresholds, chosen on validation records.

    Raises:
        PredictionsError: validation arrays of other targets.
    """
    if validation is None or not binary.any():
        return None
    t, p = check_arrays(*validation)
    if t.shape[1] != len(binary):
        raise PredictionsError(f"validation: expected {len(binary)} targets, found {t.shape[1]}")
    return choose_thresholds(t[:, binary], p[:, binary])


def policy_of(metric: str, undefined: Undefined) -> Undefined:
    """The policy for undefined labels is that of the AUROCs and the composite; the other metrics leave them out."""
    return undefined if metric in ("auroc", "macro_auroc", "macro_auroc_supported", "composite") else "drop"


def interval_of(metric: str, overall: Overall, undefined: Undefined) -> dict[str, Any]:
    """{value, low, high}."""
    value, samples = overall
    low, high = metric_interval(metric, np.asarray(value), samples, CONFIDENCE, policy_of(metric, undefined))
    return {"value": value, "low": float(low), "high": float(high)}


def checked(
    targets: ArrayLike, predictions: ArrayLike, names: Sequence[str], kinds: Sequence[str], undefined: str
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Targets and predictions as arrays, and which targets are binary.

    Raises:
        PredictionsError: arrays, names or kinds that do not fit.
    """
    check_policy(undefined)
    t, p = check_arrays(targets, predictions)
    if len(names) != t.shape[1] or len(kinds) != t.shape[1]:
        raise PredictionsError(
            f"expected {t.shape[1]} names and kinds, one per target, found {len(names)} and {len(kinds)}"
        )
    if len(set(names)) != len(names):
        raise PredictionsError("target names stand more than once", fix="give every target its own name")
    return t, p, binary_columns(kinds)


def _per_target(binary: NDArray[np.bool_], scores: Scores, undefined: Undefined) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = [{} for _ in binary]
    for metrics, chosen in ((OF_LABELS, binary), (OF_NUMBERS, ~binary)):
        columns = np.flatnonzero(chosen).tolist()
        for metric in metrics:
            if metric not in scores.blocks:
                continue
            block = scores.blocks[metric]
            low, high = metric_interval(metric, block.value, block.samples, CONFIDENCE, policy_of(metric, undefined))
            for k, column in enumerate(columns):
                result[column][metric] = {
                    "value": float(block.value[k]), "low": float(low[k]), "high": float(high[k])
                }  # fmt: skip
            if metric in ("auroc", "mae"):
                missing = np.isnan(block.samples).mean(axis=0)
                for k, column in enumerate(columns):
                    result[column]["undefined_fraction"] = float(missing[k])
        if metrics is OF_LABELS and scores.thresholds is not None:
            for k, column in enumerate(columns):
                result[column]["threshold"] = float(scores.thresholds.labels[k])
    return result


def _counts(target: FloatArray, kind: str) -> dict[str, int]:
    missing = int(np.isnan(target).sum())
    counts = {"n": len(target) - missing, "n_missing": missing}
    if kind == "binary":
        counts |= {"n_positive": int((target == 1).sum()), "n_negative": int((target == 0).sum())}
    return counts
