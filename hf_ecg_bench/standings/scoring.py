"""Rows and their predictions in, scores of every task out: the one place of standings that reads predictions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from hf_ecg_bench.files import inside
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, Result
from hf_ecg_bench.results.slices import select_targets
from hf_ecg_bench.results.target_scores import mapping
from hf_ecg_bench.standings.assembling import Scorable, assemble
from hf_ecg_bench.standings.differing import settings_in_words
from hf_ecg_bench.standings.entry import Entry, entries_of
from hf_ecg_bench.standings.entry_scores import Averaging, Cell, cell_file, read_cells, write_cells
from hf_ecg_bench.standings.run_scores import Draws, Scored, in_order, score_run
from hf_ecg_bench.standings.scores import TaskScores
from hf_ecg_bench.standings.settling import Settled, settle


def score_tasks(
    rows: Iterable[Row],
    results_dir: Path,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    tasks: Collection[str] | None = None,
    cache: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, TaskScores]:
    """Score every entry on every task, on one set of shared patient resamples per task.

    The test records that most runs of a task share are its test set. A run on others, one whose predictions cannot be
    read, or that is scored by another metric is left out and named in `TaskScores.excluded`. Rows without predictions
    (published ones) keep value and interval, with NaN for samples. Tasks that are parts of a joint run take their
    columns from its predictions; every file is read once, one in memory at a time. Weights that a model started from
    are told apart (`entries_of`), and of an entry's runs those of one training count (`settle`).

    Args:
        rows: those of fraction 1 are scored; all decide which weights there are.
        results_dir: what `Row.folder` is below.
        n_resamples, seed: of the shared resamples.
        tasks: score these alone.
        cache: keep scores in the cache, by digests of the predictions, and take them from there.
        progress: called with (files read, files to read).

    Returns:
        {task: scores}, sorted by task.
    """
    rows = list(rows)
    entry_of = entries_of(rows)
    settled = _settled(
        [row for row in rows if row.fraction == 1.0 and (tasks is None or row.task in tasks)], entry_of, results_dir
    )
    kept = {task: [row for item in found for row in item.kept] for task, found in settled.items()}
    jobs = _jobs([row for own in kept.values() for row in own], entry_of)
    draws = Draws(n_resamples, seed)
    scorable: dict[str, list[Scorable]] = defaultdict(list)
    total, done = sum(len(job.folders) for job in jobs), 0
    for job in jobs:
        found = _score(job, results_dir, draws, cache)
        for task, item in found.items():
            scorable[task].append(item)
        done += len(job.folders)
        if progress is not None:
            progress(done, total)
    return {
        task: assemble(task, kept[task], scorable[task], n_resamples, settled[task], entry_of) for task in sorted(kept)
    }


def _settled(rows: Sequence[Row], entry_of: Callable[[Row], Entry], results_dir: Path) -> dict[str, list[Settled]]:
    """{task: of every entry the runs that count}."""
    groups: dict[tuple[str, Entry], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.task, entry_of(row)].append(row)
    found: dict[str, list[Settled]] = defaultdict(list)
    for (task, entry), own in sorted(groups.items()):
        found[task].append(settle(entry, own, lambda rows: settings_in_words(rows, results_dir)))
    return found


@dataclass(frozen=True)
class _Job:
    """An entry's runs of one trained task: folder -> its rows, of that task and its parts."""

    entry: Entry
    folders: Mapping[str, Sequence[Row]] = field(default_factory=dict)


def _jobs(rows: Iterable[Row], entry_of: Callable[[Row], Entry]) -> list[_Job]:
    groups: dict[tuple[Entry, str], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.predictions_digest:
            groups[entry_of(row), row.trained_as or row.task][row.folder].append(row)
    return [_Job(entry, dict(sorted(found.items()))) for (entry, _), found in sorted(groups.items())]


def _score(job: _Job, results_dir: Path, draws: Draws, cache: bool) -> dict[str, Scorable]:
    """{task: scores of the job's entry}; reads each of its folders at most once."""
    runs: dict[str, list[Row]] = defaultdict(list)
    for rows in job.folders.values():
        for row in rows:
            runs[row.task].append(row)
    files = {
        task: cell_file(
            task,
            rows[0].metric,
            [row.predictions_digest for row in rows],
            draws.n_resamples,
            draws.seed,
            rows[0].trained_as,
        )
        for task, rows in runs.items()
    }
    cells: dict[str, list[Cell]] = {}
    for task, file in files.items():
        kept = read_cells(file) if cache else None
        if kept is not None:
            cells[task] = kept
    broken: dict[str, dict[int, str]] = defaultdict(dict)
    missing = {task: rows for task, rows in runs.items() if task not in cells}
    averaging = {task: Averaging() for task in missing}
    for folder in job.folders if missing else ():
        due = [(task, n, row) for task, rows in missing.items() for n, row in enumerate(rows) if row.folder == folder]
        for (task, n, _), scored in zip(due, _score_folder(folder, due, results_dir, draws), strict=True):
            if isinstance(scored, str):
                broken[task][n] = scored
            else:
                averaging[task].add(n, scored)
    for task, item in averaging.items():
        cells[task] = item.cells()
        if cache and task not in broken:
            write_cells(files[task], cells[task])
    return {task: Scorable(job.entry, tuple(runs[task]), tuple(cells[task]), broken[task]) for task in runs}


def _score_folder(
    folder: str, due: Sequence[tuple[str, int, Row]], results_dir: Path, draws: Draws
) -> list[Scored | str]:
    """Scores of a folder's due rows, or why there are none; the joint run's come first, its parts use them."""
    if not due:
        return []
    try:
        path = inside(results_dir, folder)
        predictions = in_order(read_predictions(path / PREDICTIONS_FILE))
    except EcgBenchError as error:
        short = error.message.replace(f"{results_dir.resolve()}/", "").replace(f"{results_dir}/", "")
        return [short] * len(due)
    found: dict[int, Scored | str] = {}
    whole: Scored | None = None
    for at in sorted(range(len(due)), key=lambda i: bool(due[i][2].trained_as)):
        row = due[at][2]
        try:
            part = select_targets(predictions, _names(path, row.task), row.task) if row.trained_as else predictions
            scored = score_run(row.metric, part, draws, whole)
            found[at] = scored
            if not row.trained_as:
                whole = scored
        except EcgBenchError as error:
            found[at] = error.message
    return [found[at] for at in range(len(due))]


def _names(folder: Path, task: str) -> list[str]:
    """The targets of a part of a joint run, as its result.json lists them."""
    part = mapping(Result.load(folder).slices.get(task), f"slices.{task}")
    names = list(mapping(mapping(part.get("metrics"), "metrics").get("targets"), "targets"))
    if not names:
        raise PredictionsError(f"result.json says nothing of the targets of its part {task}")
    return names
