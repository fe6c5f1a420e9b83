"""Of a candidate's runs those that may be averaged: from one set of weights, with one choice of settings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.candidate import Candidate, candidate_of
from hf_ecg_bench.standings.entry import Entry, entries_of
from hf_ecg_bench.standings.scores import Kind
from hf_ecg_bench.standings.settling import settle

_REASONS: dict[Kind, str] = {
    "settings": "with other settings than the runs of the same model that count",
    "copy": "there twice",
}


def of_one_weights(rows: Sequence[Row], left_out: Counter[str]) -> list[Row]:
    """Rows of each candidate's most used weights; others under the same name are counted in `left_out`."""
    entry_of = entries_of(rows)
    found: dict[tuple[Candidate, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[candidate_of(row), row.origin][entry_of(row).weights] += 1
    most = {key: min(counted, key=lambda weights: (-counted[weights], weights)) for key, counted in found.items()}
    kept = [row for row in rows if entry_of(row).weights == most[candidate_of(row), row.origin]]
    if len(kept) < len(rows):
        left_out["started from other weights of the same name"] += len(rows) - len(kept)
    return kept


def of_one_training(who: Candidate, rows: list[Row], left_out: Counter[str]) -> list[Row]:
    """A candidate's rows on one task that are seeds of one training (`standings.settling`)."""
    if len(rows) == 1:
        return rows
    settled = settle(Entry(who.model, who.mode, origin=rows[0].origin), rows)
    for item in settled.left_out:
        left_out[_REASONS[item.kind]] += 1
    return list(settled.kept)
