"""Each model's best way of adapting, chosen on validation records where their values are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import some
from hf_ecg_bench.results.metrics import higher_is_better
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.ranks import mean_over_tasks, value_ranks
from hf_ecg_bench.standings.scores import TaskScores

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BestModes:
    """One entry per model (its weights, where it has several) and origin.

    Attributes:
        entries: the chosen ones, sorted.
        by_test: those of them that were chosen by test values for want of validation values: they are flattered.
        notes: how it was chosen, in sentences.
    """

    entries: tuple[Entry, ...]
    by_test: tuple[Entry, ...]
    notes: tuple[str, ...]


def best_modes(scores: Mapping[str, TaskScores]) -> BestModes:
    """The entry of each model with the best mean rank of validation values among the model's entries.

    One choice for all tasks, over the tasks that all of its entries have; where there are none, among the entries
    with most tasks. A model without validation values for one of them (published tables have none) is chosen in the
    same way by its test values, and named.
    """
    of_model: dict[tuple[str, str, str], set[Entry]] = defaultdict(set)
    for item in scores.values():
        for entry in item.entries:
            of_model[entry.model, entry.origin, entry.weights].add(entry)
    chosen, by_test = [], []
    for _, found in sorted(of_model.items()):
        entries = sorted(found)
        validation, test = _values(entries, scores)
        complete = ~np.isnan(test).any(axis=0)
        if not complete.any():
            most = (~np.isnan(test)).sum(axis=1)
            keep = np.flatnonzero(most == most.max())
            entries, validation, test = [entries[i] for i in keep], validation[keep], test[keep]
            complete = ~np.isnan(test).any(axis=0)
        usable = complete & ~np.isnan(validation).any(axis=0)
        peeks = len(entries) > 1 and not usable.any()
        values = test[:, complete] if peeks or not usable.any() else validation[:, usable]
        best = entries[int(np.argmin(mean_over_tasks(value_ranks(values))))] if values.size else entries[0]
        chosen.append(best)
        if peeks:
            by_test.append(best)
    notes = []
    if len(by_test) < len(chosen):
        notes.append("each model's best mode is the one with the best mean rank of validation values over its tasks")
    if by_test:
        notes.append(
            f"best mode chosen by TEST values, as there are no validation values (flattered): "
            f"{some(sorted({entry.key for entry in by_test}), 12)}"
        )
    return BestModes(tuple(sorted(chosen)), tuple(sorted(by_test)), tuple(notes))


def _values(entries: Sequence[Entry], scores: Mapping[str, TaskScores]) -> tuple[Floats, Floats]:
    """(k, t) validation and test values, so turned that higher is better; NaN where missing or not comparable."""
    validation, test = np.full((len(entries), len(scores)), np.nan), np.full((len(entries), len(scores)), np.nan)
    for column, item in enumerate(scores.values()):
        at = {entry: i for i, entry in enumerate(item.entries)}
        there = [(row, at[entry]) for row, entry in enumerate(entries) if entry in at]
        metrics = {run.selection_metric for _, i in there for run in item.rows[i]}
        sign = 1 if item.higher_is_better else -1
        for row, i in there:
            test[row, column] = sign * item.value[i]
            if len(metrics) == 1 and item.rows[i]:
                validation[row, column] = _mean(item.rows[i])
    return validation, test


def _mean(rows: Sequence[Row]) -> float:
    values = [row.selection_value for row in rows]
    return float(np.mean(values)) * (1 if higher_on_validation(rows[0].selection_metric) else -1)


def higher_on_validation(metric: str) -> bool:
    """Whether more is better, of a metric that epochs are chosen by."""
    return metric not in ("mae", "loss") and higher_is_better(metric)
