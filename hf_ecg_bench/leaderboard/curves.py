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
from hf_ecg_bench.standings.entry import Entry, entry_of


def curves(results: Results, entries: Mapping[Entry, int]) -> dict[str, list[Curve]]:
    """{task: a curve for each entry with two fractions or more}, smallest fraction first.

    A point is the mean over seeds, and so are the ends of its interval. Rows on other test records than the task's, or
    of another metric, are no points of its curves.
    """
    points: dict[str, dict[Entry, dict[float, list[Row]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in results.rows:
        if row.origin == "ours" and math.isfinite(row.value) and _belongs(row, results):
            points[row.task][entry_of(row)][row.fraction].append(row)
    found: dict[str, list[Curve]] = {}
    for task in sorted(points):
        drawn = [
            _curve(entries[entry], of_fraction)
            for entry, of_fraction in sorted(points[task].items())
            if len(of_fraction) > 1
        ]
        if drawn:
            found[task] = drawn
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
