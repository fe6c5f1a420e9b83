"""Which of an entry's runs on a task count, where not all of them are seeds of one training."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.scores import Kind
from hf_ecg_bench.standings.selection import higher_on_validation

#: What tells trainings apart: the task that was trained, and `Row.settings`.
Training = tuple[str, str]
#: Rows of several trainings -> what is different about each, in words.
Wording = Callable[[Sequence[Row]], Mapping[Training, str]]


@dataclass(frozen=True)
class LeftOut:
    """A run that does not count, and why."""

    row: Row
    kind: Kind
    reason: str


@dataclass(frozen=True)
class Settled:
    """Attributes:
    kept: the rows of one training, one per fraction and seed.
    left_out: the others, and why.
    notes: what a reader must know about the choice, in sentences.
    """

    kept: tuple[Row, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def training_of(row: Row) -> Training:
    """Rows of one training differ in records and seed alone."""
    return row.trained_as, row.settings


def digests_as_words(rows: Sequence[Row]) -> dict[Training, str]:
    """`settings 3f2a...`: what can be said from rows alone."""
    return {training_of(row): f"settings {row.settings or 'unstated'}" for row in rows}


def settle(entry: Entry, rows: Sequence[Row], wording: Wording = digests_as_words) -> Settled:
    """Choose among the runs of one entry on one task: runs of different trainings are never averaged.

    Runs of the task itself go before those that it is a part of. Among settings, those with the best mean validation
    value count (of the largest fraction that was run; ties: more seeds, then the settings' digest). Where it is not
    known or not comparable for all, those with most seeds. Of one seed twice the first folder by name counts; a copy
    with equal predictions is no other run.

    Args:
        rows: of any fractions. Published ones are kept as they are.
    """
    if entry.origin == "published":
        return Settled(tuple(rows))
    trainings: dict[Training, list[Row]] = defaultdict(list)
    for row in rows:
        trainings[training_of(row)].append(row)
    if len(trainings) < 2:
        return _once_per_seed(entry, rows)
    # First, as a copy is no evidence for the settings that it was made with.
    once = {key: _once_per_seed(entry, own) for key, own in sorted(trainings.items())}
    kept = {key: item.kept for key, item in once.items()}
    chosen, why = _choose(kept)
    words = dict(wording([own[0] for own in kept.values()]))
    said = {key: _said(key, words.get(key, ""), kept) for key in kept}
    counted = f"runs with {said[chosen]} count: {why}"
    others = {key: own for key, own in kept.items() if key != chosen}
    left_out = [
        LeftOut(row, "settings", f"trained with {said[key]}; {counted}") for key, own in others.items() for row in own
    ]
    parts = ", ".join(f"{len(own)} with {said[key]}" for key, own in others.items())
    note = (
        f"{entry.key}: {len(left_out)} {'run is' if len(left_out) == 1 else 'runs are'} left out, trained otherwise "
        f"than those that count ({parts}); {counted}"
    )
    copies = [left for item in once.values() for left in item.left_out]
    return Settled(kept[chosen], (*left_out, *copies), (note, *once[chosen].notes))


def _choose(trainings: Mapping[Training, Sequence[Row]]) -> tuple[Training, str]:
    """The training that counts, and why."""
    largest = max(row.fraction for own in trainings.values() for row in own)
    found = {key: [row for row in own if row.fraction == largest] for key, own in trainings.items()}
    found = {key: own for key, own in found.items() if own}
    if len(found) == 1:
        return next(iter(found)), f"they alone were run on {'all' if largest == 1 else f'{largest:g} of the'} records"
    itself = {key: own for key, own in found.items() if not key[0]}
    if itself and len(itself) < len(found):
        if len(itself) == 1:
            return next(iter(itself)), "they were trained on this task alone"
        found = itself
    seeds = {key: len({row.seed for row in own}) for key, own in found.items()}
    values = {key: float(np.mean([row.selection_value for row in own])) for key, own in found.items()}
    measures = {
        (row.selection_metric, row.subset == "published", row.trained_as) for own in found.values() for row in own
    }
    if len(measures) > 1 or not all(map(math.isfinite, values.values())):
        key = min(found, key=lambda key: (-seeds[key], key))
        return key, f"they have most seeds ({seeds[key]}), as there are no comparable validation values"
    metric = next(iter(measures))[0]
    sign = 1 if higher_on_validation(metric) else -1
    best, *others = sorted(found, key=lambda key: (-sign * values[key], -seeds[key], key))
    return best, (
        f"best mean validation {metric or 'value'}, {values[best]:.4g} against "
        f"{', '.join(f'{values[key]:.4g}' for key in others)}"
    )


def _said(key: Training, words: str, trainings: Mapping[Training, Sequence[Row]]) -> str:
    """In words; the digest where there are none, or where they are those of another training too."""
    trained = f"{key[0]} as the trained task" if len({task for task, _ in trainings}) > 1 and key[0] else ""
    own = words or (f"settings {key[1] or 'unstated'}" if len({digest for _, digest in trainings}) > 1 else "")
    return ", ".join(text for text in (trained, own) if text) or "this task as the trained one"


def _once_per_seed(entry: Entry, rows: Sequence[Row]) -> Settled:
    """One row per fraction and seed: with predictions before others, then the first folder by name."""
    kept: dict[tuple[float, int], Row] = {}
    left_out: list[LeftOut] = []
    notes = []
    for row in sorted(rows, key=lambda row: (not row.predictions_digest, row.folder)):
        first = kept.setdefault((row.fraction, row.seed), row)
        if first is row:
            continue
        if _copy(row, first):
            left_out.append(LeftOut(row, "copy", "the same run is there twice"))
            continue
        left_out.append(
            LeftOut(row, "settings", f"another run with seed {row.seed}: {first.folder or 'the first'} counts")
        )
        notes.append(
            f"{entry.key}: seed {row.seed} was run twice with one setting and came out otherwise "
            f"({first.value:.4f}, {row.value:.4f}): {first.folder or 'the first'} counts"
        )
    there = {id(row) for row in kept.values()}
    return Settled(tuple(row for row in rows if id(row) in there), tuple(left_out), tuple(notes))


def _copy(row: Row, first: Row) -> bool:
    if row.predictions_digest or first.predictions_digest:
        return row.predictions_digest == first.predictions_digest
    return row.value == first.value
