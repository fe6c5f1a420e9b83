"""What a view must say of its entries: several weights under one name, runs that do not count, parts of data sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from hf_ecg_bench.errors import some
from hf_ecg_bench.published.beside import part_of
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.task import TaskStanding


def weights_notes(entries: Collection[Entry]) -> list[str]:
    """What to say of models whose runs started from several weights."""
    of_model: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.weights:
            of_model[entry.model].add(entry.weights)
    return [
        f"runs of {model} started from different weights ({some(sorted(found), 6)}): these are entries of their own"
        for model, found in sorted(of_model.items())
    ]


def settings_notes(standings: Iterable[TaskStanding], entries: Collection[Entry]) -> list[str]:
    """How many runs of these entries are left out, as they are no seeds of the training that counts."""
    out = [
        (standing.scores.task, item)
        for standing in standings
        for item in standing.scores.excluded
        if item.kind == "settings" and item.entry in entries
    ]
    if not out:
        return []
    keys = sorted({item.entry.key for _, item in out})
    example = f"{out[0][0]}, {out[0][1].name}: {out[0][1].reason}"
    results = f"{len(out)} {'result is' if len(out) == 1 else 'results are'}"
    return [f"{results} left out for other settings than those that count ({some(keys, 6)}); for example {example}"]


def part_notes(standings: Iterable[TaskStanding], entries: Collection[Entry]) -> list[str]:
    """What to say of results on a part of a data set: their values are not those of the benchmark."""
    found = [
        f"{standing.scores.task}, {entry.key}: {part}"
        for standing in standings
        for entry, rows in zip(standing.scores.entries, standing.scores.rows, strict=True)
        if entry in entries and entry.origin == "ours" and rows and (part := part_of(rows[0]))
    ]
    if not found:
        return []
    results = f"{len(found)} {'value rests on a part of its' if len(found) == 1 else 'values rest on a part of their'}"
    compare = "; they do not compare with published ones" if any(e.origin == "published" for e in entries) else ""
    return [f"{results} data set (for example {found[0]}){compare}"]
