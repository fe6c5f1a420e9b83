"""Entries and their cells as columns."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.leaderboard.gathering import Results
from hf_ecg_bench.leaderboard.numbers import amount, number
from hf_ecg_bench.leaderboard.space.board.snapshot import Cells
from hf_ecg_bench.leaderboard.space.board.snapshot import Entry as ShownEntry
from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.standings.costs import median_cost
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.task import TaskStanding
from hf_ecg_bench.standings.task_ranking import stand

_COSTS = (
    "trainable_parameters",
    "train_seconds",
    "records_per_second",
    "latency_ms",
    "peak_memory_bytes",
    "training_flops",
    "energy_joules",
)


def entry_facts(results: Results) -> list[ShownEntry]:
    """Every entry, with the median cost of its runs (see `median_cost`): of the ranked ones where there are any."""
    ranked: dict[Entry, list[Row]] = defaultdict(list)
    for scores in results.scores.values():
        for entry, rows in zip(scores.entries, scores.rows, strict=True):
            ranked[entry] += rows
    runs: dict[Entry, list[Row]] = defaultdict(list)
    for row in results.rows:
        runs[results.entry_of(row)].append(row)
    return [_entry(entry, ranked[entry] or runs[entry]) for entry in results.entries]


def _entry(entry: Entry, rows: Sequence[Row]) -> ShownEntry:
    full = [row for row in rows if row.fraction == 1.0] or list(rows)

    def cost(name: str) -> float | None:
        return amount(median_cost(full, name))

    parameters = cost("parameters")
    if parameters is None and entry.model in MODELS:
        parameters = float(get_model_spec(entry.model).parameters)
    costs: dict[str, float | None] = {name: cost(name) for name in _COSTS}
    found = {
        "key": entry.key,
        "model": entry.model,
        "mode": entry.mode,
        "preprocessing": entry.preprocessing,
        "protocol": entry.protocol,
        "origin": entry.origin,
        "weights": entry.weights,
        "parameters": parameters,
        **costs,
    }
    return cast(ShownEntry, found)


@dataclass(frozen=True, eq=False)
class Places:
    """Ranks of a task's entries among those of their origin; no interval (0) where nothing could be tested."""

    rank: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]


def places(standing: TaskStanding) -> Places:
    """Ours among ours, by tests; published ones among themselves, by value."""
    scores = standing.scores
    found = [np.zeros(len(scores.entries), dtype=np.int64) for _ in range(3)]
    for origin in ("ours", "published"):
        at = [i for i, entry in enumerate(scores.entries) if entry.origin == origin]
        if at:
            # Published entries are never tested, so the ranks of tested ones of ours do not depend on them.
            if standing.tested[at].any():
                arrays = [values[at] for values in (standing.rank, standing.rank_low, standing.rank_high)]
            else:
                own = stand(scores.of({scores.entries[i] for i in at}))
                arrays = [own.rank, own.rank_low, own.rank_high]
            for target, values in zip(found, arrays, strict=True):
                target[at] = values
    found[1][~standing.tested] = found[2][~standing.tested] = 0
    return Places(*found)


def cells(results: Results, entries: Mapping[Entry, int], tasks: Mapping[str, int]) -> Cells:
    """One cell per entry and task that is scored, by entry and then task."""
    lines: list[dict[str, Any]] = []
    for task, standing in results.standings.items():
        scores, place = standing.scores, places(standing)
        for i, entry in enumerate(scores.entries):
            rows = scores.rows[i]
            lines.append(
                {
                    "entry": entries[entry],
                    "task": tasks[task],
                    "value": number(scores.value[i]),
                    "low": number(scores.low[i]),
                    "high": number(scores.high[i]),
                    "seed_sd": number(scores.seed_sd[i]),
                    "n_seeds": int(scores.n_seeds[i]),
                    "contamination": scores.contamination[i],
                    "reason": next(
                        (row.contamination_reason for row in rows if row.contamination == scores.contamination[i]), ""
                    ),
                    "audit": ",".join(dict.fromkeys(name for row in rows for name in row.audit.split(",") if name)),
                    "records_train": _median([row.records_train for row in rows]),
                    "rank": int(place.rank[i]),
                    "rank_low": int(place.low[i]) or None,
                    "rank_high": int(place.high[i]) or None,
                }
            )
    lines.sort(key=lambda line: (line["entry"], line["task"]))
    return cast(Cells, {name: [line[name] for line in lines] for name in Cells.__annotations__})


def _median(values: Sequence[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return amount(np.median(known)) if known else None
