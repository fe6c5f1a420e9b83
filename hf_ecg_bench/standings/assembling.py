"""Scored entries of a task put side by side: which test set they share, and who is left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hf_ecg_bench.evaluation.intervals import percentile_interval
from hf_ecg_bench.models.overlaps import worst
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.entry_scores import Cell
from hf_ecg_bench.standings.run_scores import TestSet
from hf_ecg_bench.standings.scores import Excluded, Kind, TargetScores, TaskScores
from hf_ecg_bench.standings.settling import Settled


@dataclass(frozen=True, eq=False)
class Scorable:
    """An entry's runs on a task: rows, what their predictions gave, and the runs whose predictions are unusable."""

    entry: Entry
    rows: tuple[Row, ...]
    cells: tuple[Cell, ...]
    broken: Mapping[int, str] = field(default_factory=dict)


@dataclass(eq=False)
class _Line:
    """One entry of the table: its rows, and its cell where it has predictions."""

    rows: list[Row]
    cell: Cell | None


def assemble(
    task: str,
    rows: Sequence[Row],
    scored: Sequence[Scorable],
    n_resamples: int,
    settled: Sequence[Settled],
    entry_of: Callable[[Row], Entry],
) -> TaskScores:
    """The task's table of entries.

    Args:
        rows: the task's rows that count, with and without predictions.
        scored: what there is of those with predictions, one per entry.
        settled: how it was found which rows count.
        entry_of: of every row.
    """

    def out(row: Row, reason: str, kind: Kind = "unusable") -> Excluded:
        entry = entry_of(row)
        return Excluded(entry, row.folder or f"{entry.key}, seed {row.seed}", reason, kind)

    excluded = [out(left.row, left.reason, left.kind) for item in settled for left in item.left_out]
    metric, higher = _metric(rows)
    test = _shared_test_set(scored)
    lines: dict[Entry, _Line] = {}
    notes = [note for item in settled for note in item.notes]
    for item in scored:
        for n, reason in item.broken.items():
            excluded.append(out(item.rows[n], f"its predictions cannot be scored: {reason}"))
        for cell in item.cells:
            own = [item.rows[n] for n in cell.runs]
            if own[0].metric != metric:
                excluded += [out(row, f"scored by {row.metric}, the others by {metric}") for row in own]
            elif test is None or not cell.test.same(test):
                excluded += [out(row, _other_records(cell.test, test)) for row in own]
            elif not np.isfinite(cell.values).all():
                excluded += [out(row, "its score is undefined") for row in own]
            else:
                lines[item.entry] = _Line(own, cell)
                notes += _contradictions(own, cell)
    for entry, without in _without_predictions(rows, entry_of).items():
        for row in without:
            reason = _why_not(row, metric, higher, test, entry in lines and lines[entry].cell is not None)
            if reason:
                excluded.append(out(row, reason))
            else:
                lines.setdefault(entry, _Line([], None)).rows.append(row)
    return _table(task, metric, higher, lines, test, n_resamples, excluded, notes)


def _metric(rows: Sequence[Row]) -> tuple[str, bool]:
    """What most of our rows are scored by; of published ones where there are no others."""
    ours = [row for row in rows if row.origin == "ours"] or list(rows)
    counted = Counter((row.metric, row.higher_is_better) for row in ours)
    return min(counted, key=lambda item: (-counted[item], item))


def _shared_test_set(scored: Sequence[Scorable]) -> TestSet | None:
    """The test records of most runs; of as many the larger set."""
    counted: list[tuple[TestSet, int]] = []
    for cell in (cell for item in scored for cell in item.cells):
        at = next((i for i, (test, _) in enumerate(counted) if test.same(cell.test)), None)
        if at is None:
            counted.append((cell.test, len(cell.runs)))
        else:
            counted[at] = counted[at][0], counted[at][1] + len(cell.runs)
    return min(counted, key=lambda item: (-item[1], -item[0].n, item[0].digest))[0] if counted else None


def _without_predictions(rows: Sequence[Row], entry_of: Callable[[Row], Entry]) -> dict[Entry, list[Row]]:
    found: dict[Entry, list[Row]] = defaultdict(list)
    for row in rows:
        if not row.predictions_digest:
            found[entry_of(row)].append(row)
    return found


def _why_not(row: Row, metric: str, higher: bool, test: TestSet | None, others_have: bool) -> str:
    """Why a row without predictions is left out; empty where it is not."""
    if not np.isfinite(row.value):
        return "its score is undefined"
    if row.higher_is_better != higher or (row.origin == "ours" and row.metric != metric):
        return f"scored by {row.metric}, the others by {metric}"
    if others_have:
        return "it has no predictions; other runs of the entry have"
    if row.origin == "ours" and test is not None and np.isfinite(row.records_test) and row.records_test != test.n:
        return f"it has no predictions, and {row.records_test:,.0f} test records; the others have {test.n:,}"
    return ""


def _other_records(own: TestSet, shared: TestSet | None) -> str:
    n = 0 if shared is None else shared.n
    if own.n != n:
        return f"its {own.n:,} test records are not the {n:,} that most runs of the task share"
    return f"its {own.n:,} test records, their patients or their targets are not those that most runs share"


def _contradictions(rows: Sequence[Row], cell: Cell) -> list[str]:
    """Rows that say another score than their predictions."""
    return [
        f"{row.folder or row.model}: result.json says {row.value:.4f}, its predictions give {value:.4f}, which counts"
        for row, value in zip(rows, cell.values.tolist(), strict=True)
        if not np.isclose(row.value, value, rtol=0, atol=1e-4, equal_nan=True)
    ]


def _table(
    task: str,
    metric: str,
    higher: bool,
    lines: Mapping[Entry, _Line],
    test: TestSet | None,
    n_resamples: int,
    excluded: Sequence[Excluded],
    notes: Sequence[str],
) -> TaskScores:
    entries = sorted(lines)
    ordered = [lines[entry] for entry in entries]
    k = len(entries)
    samples = np.full((k, n_resamples), np.nan)
    value, low, high, sd = (np.full(k, np.nan) for _ in range(4))
    for i, line in enumerate(ordered):
        values = np.array([row.value for row in line.rows]) if line.cell is None else line.cell.values
        value[i] = values.mean()
        sd[i] = values.std(ddof=1) if len(values) > 1 else np.nan
        if line.cell is not None:
            samples[i] = line.cell.samples
            ends = percentile_interval(line.cell.samples, 0.95)
            low[i], high[i] = float(ends[0]), float(ends[1])
        elif len(line.rows) == 1:
            low[i], high[i] = line.rows[0].low, line.rows[0].high
    return TaskScores(
        task=task,
        metric=metric,
        higher_is_better=higher,
        entries=tuple(entries),
        rows=tuple(tuple(line.rows) for line in ordered),
        value=value,
        low=low,
        high=high,
        seed_sd=sd,
        n_seeds=np.array([len(line.rows) for line in ordered], dtype=np.int64),
        samples=samples,
        contamination=tuple(worst([row.contamination for row in line.rows]) for line in ordered),
        n_records=0 if test is None else test.n,
        unit="" if test is None else test.unit,
        targets=None if test is None else _targets(test, ordered),
        excluded=tuple(sorted(excluded, key=lambda item: (item.entry, item.name, item.reason))),
        notes=tuple(notes),
    )


def _targets(test: TestSet, lines: Sequence[_Line]) -> TargetScores:
    blank = np.full(len(test.names), np.nan)

    def stack(name: str) -> np.ndarray:
        return np.array([blank if line.cell is None else getattr(line.cell, name) for line in lines]).reshape(
            len(lines), len(test.names)
        )

    return TargetScores(
        names=test.names,
        kinds=test.kinds,
        n=test.known,
        n_positive=test.positive,
        value=stack("target_value"),
        low=stack("target_low"),
        high=stack("target_high"),
    )
