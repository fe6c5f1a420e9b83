"""Every task: values with intervals, ranks, differences from the best, and other metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.study import Study, mean_over_seeds
from hf_ecg_bench.overview.verdicts import verdicts
from hf_ecg_bench.overview.wording import (
    MARKS_MEAN,
    contamination_mark,
    entry_cells,
    entry_columns,
    fixed,
    sentence,
    signed,
    task_name,
    with_interval,
)
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.metrics import METRICS, higher_is_better, metric_name
from hf_ecg_bench.results.pages import safe
from hf_ecg_bench.results.plots.forest import plot_forest
from hf_ecg_bench.results.quantities import p_value
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.standings.task import TaskStanding
from hf_ecg_bench.tasks.categories import category_name

_MOST_FOREST_ROWS = 400  # over all tasks: a row is 3 kB of the page


def task_part(study: Study) -> Part:
    """A folded block per task."""
    drawn = sum(len(standing.scores.entries) for standing in study.standings.values()) <= _MOST_FOREST_ROWS
    blocks = tuple(_block(study, standing, drawn=drawn) for standing in study.standings.values())
    intro: tuple[str, ...] = (
        "Values are means over seeds with the 95 % interval over resampled test patients. The SD over seeds stands "
        "beside it and is never mixed into it. Ranks tie where the paired test does not separate an entry from the "
        "best of its rank; the rank interval counts who is significantly better and worse.",
    )
    if any(standing.tail == "normal" for standing in study.standings.values()):
        intro += (
            "Where a task has many pairs, counting resamples cannot give small enough p values: those of differences "
            "with one sign in every resample then come from a normal tail.",
        )
    if not drawn:
        intro += ("Forest plots are left out: there are too many cells for one page.",)
    return Part("tasks", "By task", intro, blocks)


def task_table(study: Study, standing: TaskStanding) -> Table:
    """One row per entry, best first."""
    scores = standing.scores
    judged = verdicts(standing, study.choices.contamination)
    several = bool((scores.n_seeds > 1).any())
    rows = []
    for i in order_of(standing):
        verdict, mark = judged[i], contamination_mark(scores.contamination[i])
        rank_ends = f"{standing.rank_low[i]} to {standing.rank_high[i]}" if standing.tested[i] else "not tested"
        value = with_interval(scores.value[i], scores.low[i], scores.high[i]) or "undefined"
        records = mean_over_seeds(standing, i, lambda row: row.records_train)
        rows.append(
            (
                *entry_cells(scores.entries[i]),
                Cell(value + mark, strong=verdict.best, tied=verdict.tied, weak=bool(mark)),
                Cell(str(standing.rank[i])),
                Cell(rank_ends, weak=not standing.tested[i]),
                Cell("best" if verdict.best else signed(verdict.difference, verdict.low, verdict.high)),
                Cell(p_value(verdict.p_adjusted)),
                *((Cell(fixed(scores.seed_sd[i], 4)),) if several else ()),
                Cell(str(scores.n_seeds[i])),
                Cell("" if math.isnan(records) else f"{records:,.0f}"),
            )
        )
    titles = [f"{metric_name(scores.metric)} [95 %]", "Rank", "Rank interval", "Minus best [95 %]", "p, Holm"]
    titles += [*(["SD over seeds"] if several else []), "Seeds", "Trained on"]
    columns = (*entry_columns(), *(Column(title, "right") for title in titles))
    better = "higher" if scores.higher_is_better else "lower"
    marks = f" {MARKS_MEAN}" if any(contamination_mark(state) for state in scores.contamination) else ""
    tested_on = f", {scores.n_records:,} test records" if scores.n_records else ""
    category = category_name(study.categories[scores.task], short=True)
    hidden = study.choices.contamination == "hide" and bool(marks)
    marks += " Ranks count these cells too; the best and the differences from it do not." if hidden else ""
    caption = (
        f"{task_name(scores.task)} ({category}): {metric_name(scores.metric)}, {better} is better{tested_on}.{marks}"
    )
    return Table(f"task-{safe(scores.task)}", caption, columns, tuple(rows))


def metric_table(study: Study, standing: TaskStanding) -> Table | None:
    """The task's other metrics, means over seeds; None where there are none."""
    scores = standing.scores
    known = {
        name
        for rows in scores.rows
        for row in rows
        for name, estimate in study.metrics.get((row.folder, row.task), {}).items()
        if estimate.defined
    }
    names = [name for name in METRICS if name in known - {scores.metric}]
    names += sorted(known - {scores.metric, *names})
    if not names:
        return None
    values = {name: [_metric(study, standing, i, name) for i in range(len(scores.entries))] for name in names}
    best = {name: _best(name, [item.value for item in found]) for name, found in values.items()}
    rows = []
    for i in order_of(standing):
        cells = []
        for name in names:
            item = values[name][i]
            text = item.format() if item.defined else ""
            cells.append(Cell(text, strong=item.defined and item.value == best[name]))
        rows.append((*entry_cells(scores.entries[i]), *cells))
    titles = [
        metric_name(name) + (" [95 %]" if all(v.has_interval for v in values[name] if v.defined) else "")
        for name in names
    ]
    columns = (*entry_columns(), *(Column(title, "right") for title in titles))
    caption = (
        f"{task_name(scores.task)}: other metrics, means over seeds; an interval where there is one seed. "
        "Bold: the best point value, not tested."
    )
    return Table(f"metrics-{safe(scores.task)}", caption, columns, tuple(rows))


def order_of(standing: TaskStanding) -> list[int]:
    """Positions of a task's entries, best value first, undefined ones last."""
    sign = -1 if standing.scores.higher_is_better else 1
    value = sign * standing.scores.value
    return sorted(range(len(value)), key=lambda i: (math.isnan(value[i]), value[i], standing.scores.entries[i]))


def _block(study: Study, standing: TaskStanding, *, drawn: bool) -> Block:
    scores = standing.scores
    tables = [task_table(study, standing)]
    if (others := metric_table(study, standing)) is not None:
        tables.append(others)
    title = task_name(scores.task)
    pictures = (_forest(standing),) if drawn and len(scores.entries) > 1 else ()
    return Block(
        title,
        tuple(tables),
        pictures,
        tuple(sentence(note) for note in scores.notes),
        folded=len(study.standings) > 1,
    )


def _forest(standing: TaskStanding) -> Picture:
    scores = standing.scores
    order = order_of(standing)
    estimates = [Estimate(float(scores.value[i]), float(scores.low[i]), float(scores.high[i])) for i in order]
    name = metric_name(scores.metric)
    return Picture(
        f"task-{safe(scores.task)}",
        f"{name} on {task_name(scores.task)} with each entry's own 95 % interval; whether two differ is in the table, "
        "not in the overlap of intervals. Hollow: could not be tested.",
        plot_forest(
            [scores.entries[i].key for i in order],
            estimates,
            label=name,
            notes=[f"rank {standing.rank[i]}" for i in order],
            doubtful=[not standing.tested[i] for i in order],
        ),
        f"{name} of all entries on {task_name(scores.task)}, the numbers of the table above",
    )


def _metric(study: Study, standing: TaskStanding, place: int, name: str) -> Estimate:
    """One seed's estimate as it is; of several seeds the mean, without an interval."""
    rows = standing.scores.rows[place]
    found = [study.metrics.get((row.folder, row.task), {}).get(name, Estimate()) for row in rows]
    found = [item for item in found if item.defined]
    if len(found) == 1:
        return found[0]
    return Estimate(sum(item.value for item in found) / len(found)) if found else Estimate()


def _best(metric: str, values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    if len(values) < 2 or not known:
        return math.nan
    return max(known) if higher_is_better(metric) else min(known)
