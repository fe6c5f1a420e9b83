"""The paper's seven categories: mean ranks, and the values of each category's tasks side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.plots.heat_map import plot_heat_map
from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.verdicts import verdicts
from hf_ecg_bench.overview.wording import (
    MARKS_MEAN,
    contamination_mark,
    entry_cells,
    entry_columns,
    fixed,
    task_name,
    unique_titles,
)
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.metrics import metric_name
from hf_ecg_bench.results.pages import safe
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.standings.overall import OverallStanding
from hf_ecg_bench.tasks.categories import category_name, category_order
from hf_ecg_bench.texts import plural

_MOST_CELLS = 1200  # of a heat map: beyond this its numbers cannot be read


def category_part(study: Study) -> Part:
    """Mean ranks per category as table and heat map, then one table of values per category."""
    grouped = tasks_by_category(study)
    blocks = []
    if study.overall is not None:
        ranked = {name: in_order for name, tasks in grouped.items() if (in_order := _ranked(study.overall, tasks))}
        blocks.append(Block(tables=(rank_table(study.overall, ranked),), pictures=_pictures(study.overall, ranked)))
    for category, tasks in grouped.items():
        blocks.append(Block(category_name(category, short=True), tables=(value_table(study, category, tasks),)))
    intro = (
        "Values are means over seeds. Bold: the best value of a task. Underlined (≈ where there is no underline): not "
        "significantly different from it in the paired bootstrap over test patients, Holm-adjusted over the pairs of "
        "the task.",
    )
    return Part("categories", "By category", intro, tuple(blocks), side_by_side=True)


def tasks_by_category(study: Study) -> dict[str, list[str]]:
    """Category -> its tasks, in the paper's order."""
    categories = sorted({study.categories[task] for task in study.standings}, key=category_order)
    return {
        category: [task for task in study.standings if study.categories[task] == category] for category in categories
    }


def rank_table(overall: OverallStanding, grouped: Mapping[str, Sequence[str]]) -> Table:
    """One row per entry, one column per category; the best of each in bold."""
    ranks = _ranks(overall, grouped)
    best = [np.nanmin(column) if np.isfinite(column).any() else math.nan for column in ranks.T]
    rows = []
    for i, entry in enumerate(overall.entries):
        cells = [
            Cell(fixed(value, 1), strong=value == lowest and len(overall.entries) > 1)
            for value, lowest in zip(ranks[i], best, strict=True)
        ]
        rows.append((*entry_cells(entry), *cells))
    titles = unique_titles([f"{category_name(name, short=True)} ({len(tasks)})" for name, tasks in grouped.items()])
    columns = (*entry_columns(), *(Column(title, "right") for title in titles))
    return Table("category-ranks", "Mean rank per category, in brackets its number of tasks", columns, tuple(rows))


def value_table(study: Study, category: str, tasks: Sequence[str]) -> Table:
    """One row per entry, one column per task; best, ties with it and contamination marked."""
    judged = {task: verdicts(study.standings[task], study.choices.contamination) for task in tasks}
    rows = []
    for entry in study.entries:
        cells = []
        for task in tasks:
            found = study.cell(entry, task)
            if found is None:
                cells.append(Cell(""))
                continue
            standing, i = found
            mark = contamination_mark(standing.scores.contamination[i])
            text = fixed(standing.scores.value[i], 3)
            verdict = judged[task][i]
            cells.append(Cell(text + mark, strong=verdict.best, tied=verdict.tied, weak=bool(mark)))
        if any(cell.text for cell in cells):
            rows.append((*entry_cells(entry), *cells))
    metrics = {study.standings[task].scores.metric for task in tasks}
    only = next(iter(metrics)) if len(metrics) == 1 else None
    titles = unique_titles(
        [task_name(task) + ("" if only else f", {metric_name(study.standings[task].scores.metric)}") for task in tasks]
    )
    marks = f" {MARKS_MEAN}" if any(cell.weak for row in rows for cell in row) else ""
    caption = (
        f"{category_name(category, short=True)}: {metric_name(only) if only else 'primary metric of each task'}.{marks}"
    )
    columns = (*entry_columns(), *(Column(title, "right") for title in titles))
    return Table(f"values-{safe(category)}", caption, columns, tuple(rows))


def _ranked(overall: OverallStanding, tasks: Sequence[str]) -> list[str]:
    """Those that count in the order."""
    return [task for task in tasks if task in overall.tasks]


def _ranks(overall: OverallStanding, grouped: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
    """(entries, categories)."""
    unknown = np.full(len(overall.entries), np.nan)
    return np.column_stack([overall.category_rank.get(category, unknown) for category in grouped])


def _pictures(overall: OverallStanding, grouped: Mapping[str, Sequence[str]]) -> tuple[Picture, ...]:
    names = [entry.key for entry in overall.entries]
    found = []
    if len(grouped) > 1:
        found.append(
            Picture(
                "category-heat",
                "Mean rank per category; dark is good. Empty: no result.",
                plot_heat_map(_ranks(overall, grouped), names, [category_name(name, short=True) for name in grouped]),
                "Heat map of mean ranks by category; the table above has the same numbers",
            )
        )
    order = [task for tasks in grouped.values() for task in tasks]
    if len(order) > 1 and len(order) * len(names) <= _MOST_CELLS:
        columns = [overall.tasks.index(task) for task in order]
        found.append(
            Picture(
                "task-heat",
                f"Rank on each of {plural(len(order), 'task')}; dark is good. Empty: missing or hidden.",
                plot_heat_map(overall.ranks[:, columns], names, [task_name(task) for task in order]),
                "Heat map of ranks by task; the tables per task have the same numbers",
            )
        )
    return tuple(found)
