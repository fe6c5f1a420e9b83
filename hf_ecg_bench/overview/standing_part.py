"""Who is ahead over all tasks: mean ranks with intervals, tied groups, wins, skill, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.plots.critical_difference import plot_critical_difference
from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.wording import entry_cells, entry_columns, fixed, sentence, with_interval
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.plots.forest import plot_forest
from hf_ecg_bench.results.quantities import p_value
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.standings.overall import OverallStanding
from hf_ecg_bench.texts import plural

_POLICIES = {
    "keep": "Cells whose test records a model may have seen are kept and marked",
    "hide": "Cells whose test records a model may have seen are left out of the ranks",
    "impute": "Cells whose test records a model may have seen count as the mean of the entries that have not seen them",
}
_RULES = {
    "anchor": "Ranks are those of the values; groups come from tests over tasks and do not chain",
    "paper": "On a task, entries share a rank unless the task's own paired test separates them",
}

_ALPHA = 0.05


def standing_part(study: Study) -> Part:
    """The overall standing, with a critical-difference diagram where there are enough tasks and entries."""
    overall = study.overall
    title = "Overall standing"
    if overall is None:
        return Part("standing", title, ("One entry alone: there is nothing to rank.",))
    intro = (
        f"An entry is a model adapted in one way; its seeds are averaged. {_RULES[overall.rule]}. "
        f"{_POLICIES[overall.policy]}; missing cells stay missing. Rank 1 is best.",
        *(sentence(note) for note in overall.notes),
    )
    blocks = [Block(tables=(standing_table(study, overall),), pictures=tuple(_pictures(overall)))]
    if overall.friedman:
        blocks.append(Block("Tests over tasks", notes=tuple(_friedman(overall.friedman))))
    return Part("standing", title, intro, tuple(blocks))


def standing_table(study: Study, overall: OverallStanding) -> Table:
    """One row per entry, in the standing's order."""
    states = _states(study, overall)
    skilled = bool(overall.baseline)
    several = not all(map(math.isnan, overall.dataset_low))  # datasets: of one there is nothing to draw
    rows = []
    for i, entry in enumerate(overall.entries):
        few = not overall.enough[i]
        rank = with_interval(overall.mean_rank[i], overall.rank_low[i], overall.rank_high[i], 1)
        skill = with_interval(overall.skill[i], overall.skill_low[i], overall.skill_high[i])
        rows.append(
            (
                *entry_cells(entry),
                Cell("" if few else str(overall.group[i])),
                Cell(rank, strong=overall.group[i] == 1, weak=few),
                *((Cell(_between(overall.dataset_low[i], overall.dataset_high[i]), weak=few),) if several else ()),
                Cell(fixed(overall.median_rank[i], 1), weak=few),
                Cell("" if math.isnan(overall.win_rate[i]) else f"{100 * overall.win_rate[i]:.0f} %", weak=few),
                *((Cell(skill, weak=few),) if skilled else ()),
                Cell(str(len(overall.tasks) - overall.missing[i])),
                Cell(str(overall.missing[i])),
                Cell(_seen(states[i], int(overall.hidden[i]), int(overall.imputed[i]))),
            )
        )
    titles = ["Group", "Mean rank [95 %]", *(["Over datasets"] if several else []), "Median rank", "Wins"]
    titles += ["Skill [95 %]"] if skilled else []
    titles += ["Tasks", "Missing", "Seen before"]
    columns = (*entry_columns(), *(Column(title, "right") for title in titles))
    skill = f" Skill: share of the error of {overall.baseline} that is avoided." if skilled else ""
    whole = "; 'over datasets' draws whole datasets" if several else ""
    caption = (
        f"Overall standing of {plural(len(rows), 'entry', 'entries')} on {plural(len(overall.tasks), 'task')}. "
        "Group: entries that the data do not separate from its best one; group 1 in bold. "
        f"The interval draws tasks within their datasets{whole}. "
        f"Wins: over one other entry on one task, ties half.{skill} "
        "Seen before: cells whose test records the model may have seen."
    )
    return Table("standing", caption, columns, tuple(rows))


def _between(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.1f} to {high:.1f}"


def _states(study: Study, overall: OverallStanding) -> list[int]:
    """Per entry the number of cells whose test records it may have seen."""
    cells = [[study.cell(entry, task) for task in overall.tasks] for entry in overall.entries]
    return [
        sum(cell is not None and cell[0].scores.contamination[cell[1]] == "test_records" for cell in row)
        for row in cells
    ]


def _seen(number: int, hidden: int, imputed: int) -> str:
    done = f" ({hidden} hidden)" if hidden else f" ({imputed} imputed)" if imputed else ""
    return f"{number}{done}"


def _pictures(overall: OverallStanding) -> Iterator[Picture]:
    names = [entry.key for entry in overall.entries]
    estimates = [
        Estimate(*(float(value) for value in ends))
        for ends in zip(overall.mean_rank, overall.rank_low, overall.rank_high, strict=True)
    ]
    yield Picture(
        "mean-ranks",
        "Mean rank over tasks with its 95 % interval, best first; hollow: fewer than half of the tasks.",
        plot_forest(names, estimates, label="mean rank", digits=1, doubtful=[not enough for enough in overall.enough]),
        f"Mean rank with interval of {plural(len(names), 'entry', 'entries')}, best {names[0]}",
    )
    if overall.friedman:
        yield Picture(
            "critical-difference",
            "Critical-difference diagram: mean ranks over the tasks that all entries have. Bars at the right join "
            "entries of which Wilcoxon's signed-rank test with Holm's adjustment separates no two; the ruler is "
            "Nemenyi's critical difference.",
            plot_critical_difference(overall),
            "Critical-difference diagram of mean ranks",
        )


def _friedman(friedman: Mapping[str, Any]) -> Iterator[str]:
    for facts in (friedman, friedman.get("datasets") or {}):
        if facts:
            number = facts[f"n_{facts['blocks']}"]
            yield (
                f"Friedman's test of {facts['n_entries']} entries with {number} {facts['blocks']} as blocks: "
                f"chi2 = {facts['chi2']:.1f}, p {_equals(facts['p'])}; Nemenyi's critical difference of mean ranks "
                f"{facts['critical_difference']:.2f}."
            )


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text or 'undefined'}"
