"""Two models on the same records: every metric of `summarise`, paired on shared resamples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hf_ecg_bench.evaluation.blocks import Block
from hf_ecg_bench.evaluation.intervals import difference_interval
from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.evaluation.resampling import draw_resamples, known_groups
from hf_ecg_bench.evaluation.scores import OF_LABELS, OF_NUMBERS, score
from hf_ecg_bench.evaluation.summary import (
    CONFIDENCE,
    Validation,
    checked,
    policy_of,
    thresholds_of,
)
from hf_ecg_bench.evaluation.undefined import Undefined

#: {metric: {value, low, high, p}}, and {target: {metric: {value, low, high, p, p_adjusted}}}.
Differences = tuple[dict[str, dict[str, Any]], dict[str, dict[str, dict[str, Any]]]]


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
    validation: Validation | None = None,
    validation_against: Validation | None = None,
) -> dict[str, dict[str, Any]]:
    """Metrics of `predictions` minus those of `against` on the same records, from shared resamples.

    Args:
        validation, validation_against: of each model, for its own thresholds; F1 is compared where both are given.

    Returns:
        {metric: {value, low, high, p}} for the metrics of `summarise` that have resamples.
    """
    return differences(
        targets, predictions, against, names, kinds, groups, n_resamples, seed, undefined, validation,
        validation_against,
    )[0]  # fmt: skip


def differences(
    targets: ArrayLike,
    predictions: ArrayLike,
    against: ArrayLike,
    names: Sequence[str],
    kinds: Sequence[str],
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    undefined: Undefined = "drop",
    validation: Validation | None = None,
    validation_against: Validation | None = None,
) -> Differences:
    """What `summarise_difference` gives, and the same per target with p adjusted by Holm over the targets.

    The family of `p_adjusted` is one metric's targets, in the order of `names`; p of the metrics is not adjusted.
    """
    t, a, binary = checked(targets, predictions, names, kinds, undefined)
    _, b, _ = checked(targets, against, names, kinds, undefined)
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=known_groups(groups))
    first, second = (
        score(t, p, binary, resamples, undefined, thresholds_of(records, binary))
        for p, records in ((a, validation), (b, validation_against))
    )
    overall = {}
    for name, (value, samples) in first.overall.items():
        if name in second.overall:
            other, other_samples = second.overall[name]
            gap, policy = value - other, policy_of(name, undefined)
            low, high, p = difference_interval(name, np.asarray(gap), samples - other_samples, CONFIDENCE, policy)
            overall[name] = {"value": gap, "low": float(low), "high": float(high), "p": float(p)}
    per_target: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in names}
    for metrics, chosen in ((OF_LABELS, binary), (OF_NUMBERS, ~binary)):
        own = [name for name, is_own in zip(names, chosen, strict=True) if is_own]
        for metric in metrics:
            if metric in first.blocks and metric in second.blocks:
                gaps = _gaps(metric, first.blocks[metric], second.blocks[metric], undefined)
                for k, name in enumerate(own):
                    per_target[name][metric] = {key: float(values[k]) for key, values in gaps.items()}
    return overall, per_target


def _gaps(metric: str, first: Block, second: Block, undefined: Undefined) -> dict[str, np.ndarray]:
    """Per target value, low, high, p and p_adjusted."""
    value, samples = first.value - second.value, first.samples - second.samples
    low, high, p = difference_interval(metric, value, samples, CONFIDENCE, policy_of(metric, undefined))
    return {"value": value, "low": low, "high": high, "p": p, "p_adjusted": holm_of_defined(p)}
