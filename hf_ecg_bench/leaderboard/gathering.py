"""What a leaderboard rests on: rows of results and of published tables, scored and ranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.published import published_rows
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.results.run_folder import Unreadable
from hf_ecg_bench.standings.entry import Entry, entries_of
from hf_ecg_bench.standings.scores import TaskScores
from hf_ecg_bench.standings.scoring import score_tasks
from hf_ecg_bench.standings.task import TaskStanding
from hf_ecg_bench.standings.task_ranking import stand


@dataclass(frozen=True, eq=False)
class Results:
    """Rows and what follows from them.

    Attributes:
        rows: ours, then the published ones.
        scores: task -> all entries on it, of both origins; `standings`: the same, ranked.
        unreadable: result files that could not be read, and why.
        n_resamples: of patients, and of tasks.
    """

    rows: tuple[Row, ...]
    scores: Mapping[str, TaskScores]
    standings: Mapping[str, TaskStanding]
    unreadable: tuple[Unreadable, ...] = ()
    n_resamples: int = 1000

    @cached_property
    def entry_of(self) -> Callable[[Row], Entry]:
        """The entry of a row of these."""
        return entries_of(self.rows)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry of a row, sorted: also those that have only rows of smaller fractions, or excluded ones."""
        return tuple(sorted({self.entry_of(row) for row in self.rows}))

    @cached_property
    def datasets(self) -> dict[str, str]:
        """Task -> dataset."""
        return _first(self.rows, "dataset")

    @cached_property
    def categories(self) -> dict[str, str]:
        """Task -> category, where it has one."""
        return {task: category for task, category in _first(self.rows, "category").items() if category}


def gather(
    results_dir: Path | None,
    *,
    published: bool = True,
    n_resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Results:
    """Read and rank the results below a folder.

    Args:
        results_dir: runs as `run` and `grid` leave them; None: published rows alone.
        published: with the rows that the paper published.
        n_resamples, seed: of the shared patient resamples.
        progress: called with (prediction files read, files to read).

    Raises:
        EcgBenchError: no results there, or nothing asked for.
    """
    ours: Sequence[Row] = ()
    unreadable: Sequence[Unreadable] = ()
    if results_dir is not None:
        ours, unreadable = read_rows(results_dir)
        if not ours:
            raise EcgBenchError(
                f"none of {len(unreadable)} result files below {results_dir} can be read; "
                f"the first: {unreadable[0].name}: {unreadable[0].reason}",
                fix="run again into an empty folder",
            )
    elif not published:
        raise EcgBenchError("nothing to show: no results, and no published rows", fix="--results RUNS_DIR")
    rows = (*ours, *(published_rows() if published else ()))
    return rank_rows(
        rows, results_dir or Path(), tuple(unreadable), n_resamples=n_resamples, seed=seed, progress=progress
    )


def rank_rows(
    rows: Sequence[Row],
    results_dir: Path,
    unreadable: tuple[Unreadable, ...] = (),
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Results:
    """The same from rows; `results_dir` is what their folders are below."""
    scores = score_tasks(rows, results_dir, n_resamples=n_resamples, seed=seed, progress=progress)
    standings = {task: stand(item) for task, item in scores.items() if item.entries}
    return Results(tuple(rows), scores, standings, unreadable, n_resamples)


def _first(rows: Sequence[Row], name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        if not found.get(row.task):
            found[row.task] = getattr(row, name)
    return found
