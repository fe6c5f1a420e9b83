"""Scaling curves: scores over shares of the training records."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from hf_ecg_bench.leaderboard.gathering import Results
from hf_ecg_bench.leaderboard.numbers import amount, number
from hf_ecg_bench.leaderboard.space.board.snapshot import Curve
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.settling import settle


def curves(results: Results, entries: Mapping[Entry, int]) -> dict[str, list[Curve]]:
    """{task: a curve for each entry with two fractions or more}, smallest fraction first.

    A point is the mean over seeds, and so are the ends of its interval. Rows on other test records than the task's, or
    of another metric, are no points of its curves, nor are runs of other settings than those that count
    (`standings.settling`).
    """
    found: dict[str, list[Curve]] = {}
    for (task, entry), rows in sorted(_rows(results).items()):
        of_fraction: dict[float, list[Row]] = defaultdict(list)
        for row in settle(entry, rows).kept:
            of_fraction[row.fraction].append(row)
        if len(of_fraction) > 1:
            found.setdefault(task, []).append(_curve(entries[entry], of_fraction))
    return found


def off_curves(results: Results) -> list[tuple[str, str, str]]:
    """(task, run, why) of runs on a part of the records that are no points of a curve because of their settings."""
    found = []
    for (task, entry), rows in sorted(_rows(results).items()):
        if any(row.fraction < 1 for row in rows):
            left_out = [item for item in settle(entry, rows).left_out if item.row.fraction < 1]
            found += [(task, item.row.folder or entry.key, item.reason) for item in left_out]
    return found


def _rows(results: Results) -> dict[tuple[str, Entry], list[Row]]:
    """(task, entry) -> rows of ours that can be points of its curve."""
    found: dict[tuple[str, Entry], list[Row]] = defaultdict(list)
    for row in results.rows:
        if row.origin == "ours" and math.isfinite(row.value) and _belongs(row, results):
            found[row.task, results.entry_of(row)].append(row)
    return found


def _belongs(row: Row, results: Results) -> bool:
    scores = results.scores.get(row.task)
    if scores is None:
        return True
    same_records = not scores.n_records or math.isnan(row.records_test) or row.records_test == scores.n_records
    return row.metric == scores.metric and same_records


def _curve(entry: int, of_fraction: Mapping[float, Sequence[Row]]) -> Curve:
    ordered = sorted(of_fraction.items())
    return {
        "entry": entry,
        "fraction": [amount(fraction) or 0.0 for fraction, _ in ordered],
        "records": [amount(np.median([row.records_train for row in rows])) for _, rows in ordered],
        "value": [number(np.mean([row.value for row in rows])) for _, rows in ordered],
        "low": [number(np.mean([row.low for row in rows])) for _, rows in ordered],
        "high": [number(np.mean([row.high for row in rows])) for _, rows in ordered],
    }
