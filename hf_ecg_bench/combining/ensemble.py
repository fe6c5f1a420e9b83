"""The mean of several runs' predictions, and whether it is better than they are. Arrays and results; no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.differences import summarise_difference
from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.results.metrics import primary_metric, sort_results
from hf_ecg_bench.results.predictions import Predictions, align
from hf_ecg_bench.results.schema import Result

#: One for all runs of a task, as `run` scores them: intervals share the resamples.
BOOTSTRAP_SEED = 0


@dataclass(frozen=True, eq=False)
class FinishedMember:
    """A finished run.

    Attributes:
        name: of its folder, as the user gave it.
        validation: its predictions of the validation records, None of a run that has none.
    """

    name: str
    result: Result
    predictions: Predictions
    validation: Predictions | None = None


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Averaged predictions with their scores.

    Attributes:
        members: in the order in which they were given.
        predictions: the means, in the first member's order of records.
        validation: the same of the validation records, None where a member has none, or has other ones.
        metrics: what `evaluation.summary.summarise` returns.
        differences: by member, {metric: {value, low, high, p, p_adjusted}} of the ensemble minus the member, from
            shared resamples; p_adjusted is Holm's over the members.
        best: the member with the best value of `metric` on these test records.
        metric: by which the best was picked.
        warnings: what a reader must know.
    """

    members: tuple[FinishedMember, ...]
    predictions: Predictions
    metrics: dict[str, Any]
    differences: dict[str, dict[str, dict[str, Any]]]
    best: str
    metric: str
    warnings: tuple[str, ...]
    validation: Predictions | None = None


def average(members: Sequence[FinishedMember], n_resamples: int = 1000) -> Ensemble:
    """Average probabilities (and outputs for regression targets) with equal weights, and compare with each member.

    Args:
        members: at least two different runs of one task on the same test records.
        n_resamples: of the bootstrap over patients.

    Raises:
        PredictionsError: too few runs, one twice, other tasks, data, records or targets, or other scoring rules.
    """
    _check(members)
    first = members[0].predictions
    aligned = [_aligned(members[0], member) for member in members]
    mean = _mean(aligned)
    validations = _validations(members)
    validation = replace(validations[0], predictions=_mean(validations)) if validations else None
    undefined = members[0].result.hyperparameters.get("undefined", "drop")
    settings: dict[str, Any] = {
        "groups": first.patient_id, "n_resamples": n_resamples, "seed": BOOTSTRAP_SEED, "undefined": undefined,
    }  # fmt: skip
    named = first.names, first.kinds
    if validation is not None:
        settings["validation"] = validation.targets, validation.predictions
    metrics = summarise(first.targets, mean, *named, **settings)
    differences = {}
    for k, (member, its) in enumerate(zip(members, aligned, strict=True)):
        if validations:
            settings["validation_against"] = validations[k].targets, validations[k].predictions
        differences[member.name] = summarise_difference(first.targets, mean, its.predictions, *named, **settings)
    for name in metrics["metrics"]:
        adjusted = holm_of_defined([own[name]["p"] for own in differences.values()])
        for own, value in zip(differences.values(), adjusted, strict=True):
            own[name]["p_adjusted"] = float(value)
    best = sort_results([member.result for member in members])[0]
    metric = primary_metric(best)
    return Ensemble(
        tuple(members),
        replace(first, predictions=mean),
        metrics,
        differences,
        next(member.name for member in members if member.result is best),
        metric,
        (
            "the best member was picked on these test records: its score is optimistic, and the difference to it is "
            "biased against the ensemble",
            f"each p value is two-sided; p_adjusted is Holm's for {len(members)} members, not for the metrics",
        ),
        validation,
    )


def _mean(members: Sequence[Predictions]) -> np.ndarray:
    return np.stack([own.predictions for own in members]).mean(axis=0, dtype=np.float64).astype(np.float32)


def _validations(members: Sequence[FinishedMember]) -> list[Predictions]:
    """Every member's validation predictions in one order; none where a member has none, or other records."""
    first = members[0].validation
    found = []
    for member in members:
        if first is None or member.validation is None:
            return []
        try:
            found.append(align(first, member.validation))
        except PredictionsError:  # F1 is then left out, which the scores say
            return []
    return found


def _aligned(first: FinishedMember, member: FinishedMember) -> Predictions:
    try:
        return align(first.predictions, member.predictions)
    except PredictionsError as error:
        raise PredictionsError(
            f"{first.name} and {member.name}: {error.message}",
            fix="runs of one task on the same prepared data; numbers are z-scored by the training records, so those "
            "have to be the same too",
        ) from error


def _check(members: Sequence[FinishedMember]) -> None:
    names = [member.name for member in members]
    if len(names) < 2:
        raise PredictionsError(f"{len(names)} run; a mean needs at least two", fix="hf-ecg-bench ensemble RUN RUN")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PredictionsError(f"{twice} is given twice", fix="give each run once")
    first = members[0]
    for member in members[1:]:
        for what, own, other in _facts(first.result, member.result):
            if own != other:
                raise PredictionsError(
                    f"{first.name} and {member.name} have different {what}: {own} and {other}",
                    fix="average runs of one task on the same prepared data, scored by the same rule",
                )
    if first.result.dataset.get("digest") is None:
        raise PredictionsError(f"{first.name}: its result names no digest of the data", fix="run it again")


def _facts(first: Result, other: Result) -> list[tuple[str, Any, Any]]:
    """What has to be equal: (in words, of the first, of the other)."""
    rules = [result.hyperparameters.get("undefined", "drop") for result in (first, other)]
    return [
        ("tasks", first.task, other.task),
        ("data (digests)", first.dataset.get("digest"), other.dataset.get("digest")),
        ("rules for undefined labels", *rules),
    ]
