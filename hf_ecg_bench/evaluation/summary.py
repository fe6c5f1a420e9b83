"""What `score` prints and result.json stores: metrics with intervals, counts per target, the resampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.errors import PredictionsError, some
from hf_ecg_bench.evaluation.arrays import FloatArray, binary_columns, check_arrays
from hf_ecg_bench.evaluation.estimates import Estimates, estimate
from hf_ecg_bench.evaluation.intervals import percentile_interval, two_sided_p
from hf_ecg_bench.evaluation.resampling import Resamples, draw_resamples
from hf_ecg_bench.evaluation.undefined import Undefined, check_policy, macro_mean

MIN_SUPPORT = 10
CONFIDENCE = 0.95


def summarise(
    targets: ArrayLike,
    predictions: ArrayLike,
    names: Sequence[str],
    kinds: Sequence[str],
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    undefined: Undefined = "drop",
) -> dict[str, Any]:
    """Every metric that the targets' kinds allow, each with its 95 % bootstrap interval.

    Args:
        targets, predictions: (records, targets), NaN = missing target.
        names, kinds: name and `binary` or `regression` per target.
        groups: (records,) patient ids; a record without one (None) counts as a patient of its own.
        undefined: policy for labels without positives or negatives (see `bootstrap`).

    Returns:
        {"n": records,
         "metrics": {"macro_auroc": {value, low, high}, "macro_auroc_supported": {..., n_labels} (labels with
            at least 10 positives and 10 negatives), "macro_mae", "pooled_mae", "composite"},
         "targets": {name: {kind, "auroc" or "mae": {value, low, high}, n, n_missing, n_positive, n_negative,
            undefined_fraction: share of resamples without a value}},
         "resampling": {unit, n_groups, n_resamples, seed, undefined, confidence, min_support, n_labels,
            n_undefined_labels}}
        The composite is (1 - macro AUROC) + pooled MAE, resampled as a whole. Undefined values are NaN.

    Raises:
        PredictionsError: arrays, names or kinds that do not fit.
    """
    t, p, binary = _check(targets, predictions, names, kinds, undefined)
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=known_groups(groups))
    return _summary(t, names, kinds, resamples, _estimates(t, p, binary, resamples, undefined), undefined)


def summarise_parts(
    targets: ArrayLike,
    predictions: ArrayLike,
    names: Sequence[str],
    kinds: Sequence[str],
    parts: Mapping[str, Sequence[str]],
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    undefined: Undefined = "drop",
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What `summarise` gives for all targets, and for each part of them on the records that have any of its targets.

    A part that has all records shares the resamples of the whole and its labels' values in them.

    Args:
        parts: names of targets by name of the part. A part without any record gets `n` = 0 and no metrics.

    Raises:
        PredictionsError: as `summarise`, or a part names a target that is not there.
    """
    t, p, binary = _check(targets, predictions, names, kinds, undefined)
    groups = known_groups(groups)
    columns = {part: target_columns(part, wanted, names) for part, wanted in parts.items()}
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=groups)
    blocks = _estimates(t, p, binary, resamples, undefined)
    whole = _summary(t, names, kinds, resamples, blocks, undefined)
    summaries: dict[str, dict[str, Any]] = {}
    for part, chosen in columns.items():
        own_names, own_kinds = [names[i] for i in chosen], [kinds[i] for i in chosen]
        kept = ~np.isnan(t[:, chosen]).all(axis=1)
        if not kept.any():
            summaries[part] = {"n": 0, "metrics": {}, "targets": {}, "resampling": {}}
        elif not kept.all():
            own_groups = None if groups is None else np.asarray(groups)[kept]
            summaries[part] = summarise(
                t[kept][:, chosen], p[kept][:, chosen], own_names, own_kinds, own_groups, n_resamples, seed, undefined
            )
        else:
            known = {}
            if binary[chosen].any():
                labels = (np.cumsum(binary) - 1)[chosen][binary[chosen]]
                known["auroc"] = _of_labels(blocks["auroc"], labels, undefined)
            own = _estimates(t[:, chosen], p[:, chosen], binary[chosen], resamples, undefined, known)
            summaries[part] = _summary(t[:, chosen], own_names, own_kinds, resamples, own, undefined)
    return whole, summaries


def target_columns(part: str, wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    """Where the wanted targets stand among `names`.

    Raises:
        PredictionsError: none are wanted, or one is not there; names `part`.
    """
    position = {name: column for column, name in enumerate(names)}
    missing = [name for name in wanted if name not in position]
    if missing or not wanted:
        raise PredictionsError(
            f"{part}: {len(missing)} of its {len(wanted)} targets are not among the {len(names)} that are predicted: "
            f"{some(missing, 5)}",
            fix="score the predictions of a run of this task, or of the task that it is a part of",
        )
    return [position[name] for name in wanted]


def _of_labels(block: Estimates, chosen: NDArray[np.intp], undefined: Undefined) -> Estimates:
    """The macro AUROC of some of a block's labels on the same resamples."""
    # In C order, as they were estimated: sums over another order differ in their last digit.
    values, samples = block.target_value[chosen], np.ascontiguousarray(block.target_samples[:, chosen])
    in_resamples: Undefined = "drop" if undefined == "raise" else undefined
    return Estimates(float(macro_mean(values, undefined)), macro_mean(samples, in_resamples), values, samples)


def _summary(
    t: FloatArray,
    names: Sequence[str],
    kinds: Sequence[str],
    resamples: Resamples,
    blocks: dict[str, Estimates],
    undefined: Undefined,
) -> dict[str, Any]:
    binary = binary_columns(kinds)
    metrics = {name: _interval(item, undefined) for name, item in _overall(t, binary, blocks, undefined).items()}
    if "macro_auroc_supported" in metrics:
        metrics["macro_auroc_supported"]["n_labels"] = int(_supported(t[:, binary]).sum())
    return {
        "n": len(t),
        "metrics": metrics,
        "targets": {
            name: {"kind": kind, **_counts(t[:, column], kind), **item}
            for column, (name, kind, item) in enumerate(
                zip(names, kinds, _per_target(binary, blocks, undefined), strict=True)
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
            "n_undefined_labels": int(np.isnan(blocks["auroc"].target_value).sum()) if "auroc" in blocks else 0,
        },
    }


def summarise_difference(
    targets: ArrayLike,
    predictions: ArrayLike,
    against: ArrayLike,
    names: Sequence[str],
    kinds: Sequence[str],
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    undefined: Undefined = "drop",
) -> dict[str, Any]:
    """Metrics of `predictions` minus those of `against` on the same records, from shared resamples.

    Returns:
        {metric: {value, low, high, p}} for the metrics of `summarise`; `compare` gives it per target.
    """
    t, a, binary = _check(targets, predictions, names, kinds, undefined)
    _, b, _ = _check(targets, against, names, kinds, undefined)
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=known_groups(groups))
    first, second = (_estimates(t, p, binary, resamples, undefined) for p in (a, b))
    overall = [_overall(t, binary, blocks, undefined) for blocks in (first, second)]
    result = {}
    for name, (value, samples) in overall[0].items():
        other_value, other_samples = overall[1][name]
        differences = samples - other_samples
        result[name] = _interval((value - other_value, differences), undefined)
        result[name]["p"] = float(two_sided_p(differences))
    return result


# A value over all targets, and the same in every resample.
Overall = tuple[float, NDArray[np.float64]]


def _estimates(
    t: FloatArray,
    p: FloatArray,
    binary: NDArray[np.bool_],
    resamples: Resamples,
    undefined: Undefined,
    known: Mapping[str, Estimates] | None = None,
) -> dict[str, Estimates]:
    """The AUROC block (unless it is known) and the MAE block, where there are such targets."""
    blocks = dict(known or {})
    if binary.any() and "auroc" not in blocks:
        blocks["auroc"] = estimate("auroc", t[:, binary], p[:, binary], resamples, undefined)
    if not binary.all():
        blocks["mae"] = estimate("pooled_mae", t[:, ~binary], p[:, ~binary], resamples)
    return blocks


def _overall(
    t: FloatArray, binary: NDArray[np.bool_], blocks: dict[str, Estimates], undefined: Undefined
) -> dict[str, Overall]:
    overall: dict[str, Overall] = {}
    if "auroc" in blocks:
        block = blocks["auroc"]
        overall["macro_auroc"] = block.value, block.samples
        supported = _supported(t[:, binary])
        if supported.any():
            overall["macro_auroc_supported"] = (
                float(macro_mean(block.target_value[supported])),
                macro_mean(block.target_samples[:, supported]),
            )
    if "mae" in blocks:
        block = blocks["mae"]
        overall["macro_mae"] = float(macro_mean(block.target_value)), macro_mean(block.target_samples)
        overall["pooled_mae"] = block.value, block.samples
    if len(blocks) == 2:
        (auroc, auroc_samples), (mae, mae_samples) = overall["macro_auroc"], overall["pooled_mae"]
        overall["composite"] = 1.0 - auroc + mae, 1.0 - auroc_samples + mae_samples
    return overall


def _per_target(binary: NDArray[np.bool_], blocks: dict[str, Estimates], undefined: Undefined) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = [{} for _ in binary]
    for metric, block in blocks.items():
        columns = np.flatnonzero(binary if metric == "auroc" else ~binary)
        low, high = percentile_interval(block.target_samples, CONFIDENCE, undefined)
        missing = np.isnan(block.target_samples).mean(axis=0)
        for k, column in enumerate(columns.tolist()):
            entry = {"value": float(block.target_value[k]), "low": float(low[k]), "high": float(high[k])}
            result[column] = {metric: entry, "undefined_fraction": float(missing[k])}
    return result


def _interval(overall: Overall, undefined: Undefined) -> dict[str, Any]:
    value, samples = overall
    low, high = percentile_interval(samples, CONFIDENCE, undefined)
    return {"value": value, "low": float(low), "high": float(high)}


def _counts(target: FloatArray, kind: str) -> dict[str, int]:
    missing = int(np.isnan(target).sum())
    counts = {"n": len(target) - missing, "n_missing": missing}
    if kind == "binary":
        counts |= {"n_positive": int((target == 1).sum()), "n_negative": int((target == 0).sum())}
    return counts


def _supported(targets: FloatArray) -> NDArray[np.bool_]:
    """Labels with at least MIN_SUPPORT positives and negatives; the same for every model of a task."""
    return ((targets == 1).sum(axis=0) >= MIN_SUPPORT) & ((targets == 0).sum(axis=0) >= MIN_SUPPORT)


def known_groups(groups: ArrayLike | None) -> ArrayLike | None:
    """None where no record has a patient id: then records are what is resampled."""
    if groups is None or all(value is None or value != value for value in np.asarray(groups).tolist()):
        return None
    return groups


def _check(
    targets: ArrayLike, predictions: ArrayLike, names: Sequence[str], kinds: Sequence[str], undefined: str
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    check_policy(undefined)
    t, p = check_arrays(targets, predictions)
    if len(names) != t.shape[1] or len(kinds) != t.shape[1]:
        raise PredictionsError(
            f"expected {t.shape[1]} names and kinds, one per target, found {len(names)} and {len(kinds)}"
        )
    if len(set(names)) != len(names):
        raise PredictionsError("target names stand more than once", fix="give every target its own name")
    return t, p, binary_columns(kinds)
