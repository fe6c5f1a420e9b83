"""Everything that an overview rests on, read once: rows, standings, other metrics, warnings, what failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.overview.choices import Choices
from hf_ecg_bench.overview.failures import GridState, read_grid_state
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.metrics import metric_estimates
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.results.run_folder import Unreadable
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.slices import with_slices
from hf_ecg_bench.standings.across import over_tasks
from hf_ecg_bench.standings.counted import counted
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.overall import OverallStanding
from hf_ecg_bench.standings.scoring import score_tasks
from hf_ecg_bench.standings.task import TaskStanding
from hf_ecg_bench.standings.task_ranking import stand
from hf_ecg_bench.tasks.categories import task_order

_JOINT = "joint_training"
#: Other metrics of a row: (folder, task) -> name -> estimate.
Metrics = Mapping[tuple[str, str], Mapping[str, Estimate]]


@dataclass(frozen=True, eq=False)
class Study:
    """What was found below a folder of results.

    Attributes:
        folder: where it was read from.
        rows: of every result and of its parts.
        standings: by task, in the catalogue's order; a joint training is no task of its own where its parts are there.
        overall: None where there are no two entries to rank.
        metrics: every overall metric of every row.
        warnings: run folder -> what its result warns of.
        grid: cells that failed or have not run.
    """

    folder: Path
    choices: Choices
    rows: tuple[Row, ...]
    unreadable: tuple[Unreadable, ...]
    standings: Mapping[str, TaskStanding]
    overall: OverallStanding | None
    metrics: Metrics
    warnings: Mapping[str, tuple[str, ...]]
    grid: GridState

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Best first where there is an order, then by name."""
        ordered = () if self.overall is None else self.overall.entries
        every = {entry for standing in self.standings.values() for entry in standing.scores.entries}
        return (*ordered, *sorted(every - set(ordered)))

    @property
    def categories(self) -> Mapping[str, str]:
        """Task -> category."""
        return {row.task: row.category for row in self.rows}

    def cell(self, entry: Entry, task: str) -> tuple[TaskStanding, int] | None:
        """A task's standing and the entry's place in it; None where the entry lacks the task."""
        standing = self.standings.get(task)
        if standing is None or entry not in standing.scores.entries:
            return None
        return standing, standing.scores.entries.index(entry)


def read_study(folder: Path, choices: Choices) -> Study:
    """Read and rank everything at or below `folder`.

    Raises:
        EcgBenchError: no result, or none that can be read.
    """
    rows, unreadable = read_rows(folder)
    if not rows:
        raise EcgBenchError(
            f"none of {len(unreadable)} result files below {folder} can be read; the first: {unreadable[0].reason}",
            fix="run again into an empty folder",
        )
    scores = score_tasks(rows, folder, n_resamples=choices.n_resamples, seed=choices.seed)
    ranked = {task: stand(scores[task]) for task in sorted(scores, key=task_order)}
    categories = {row.task: row.category for row in rows}
    ranked = {task: standing for task, standing in ranked.items() if categories[task] != _JOINT} or ranked
    counting, left_out = counted(ranked, categories)
    several = len({entry for standing in counting.values() for entry in standing.scores.entries}) > 1
    overall = None
    if several:
        overall = over_tasks(
            counting,
            policy=choices.contamination,
            rule=choices.rule,
            datasets={row.task: row.dataset for row in rows},
            categories=categories,
            seed=choices.seed,
        )
        overall = replace(overall, notes=(*left_out, *overall.notes))
    metrics, warnings = _read_details(folder, rows)
    return Study(
        folder, choices, tuple(rows), tuple(unreadable), ranked, overall, metrics, warnings, read_grid_state(folder)
    )


def mean_over_seeds(standing: TaskStanding, place: int, of: Callable[[Row], float]) -> float:
    """The mean over an entry's rows of one task of what is known of them; NaN where nothing is."""
    values = [value for row in standing.scores.rows[place] if (value := of(row)) == value]
    return sum(values) / len(values) if values else float("nan")


def _read_details(folder: Path, rows: list[Row]) -> tuple[Metrics, Mapping[str, tuple[str, ...]]]:
    """What rows do not hold: all metrics, and the warnings in words."""
    metrics: dict[tuple[str, str], Mapping[str, Estimate]] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(row.folder for row in rows):
        result = Result.load(folder / name)
        metrics |= {(name, part.task): metric_estimates(part) for part in with_slices([result])}
        if result.warnings:
            warnings[name] = tuple(str(text) for text in result.warnings)
    return metrics, warnings
