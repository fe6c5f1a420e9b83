"""What quality costs: training time, parameters, latency and energy against the standing, with the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.overview.pareto import pareto_front
from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.plots.cost_plot import CostPanel, plot_costs
from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.wording import entry_cells, entry_columns, fixed
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.quantities import duration, energy, milliseconds, operations, quantity
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.standings.costs import median_cost
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.overall import OverallStanding

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """A cost: its field of `Row`, names, and how it is written.

    Attributes:
        drawn: whether it has a panel of its own.
    """

    field: str
    title: str
    axis: str
    text: Callable[[float], str]
    drawn: bool = True


COSTS = (
    Cost("train_seconds", "Training", "training time of one run, seconds", duration),
    Cost("parameters", "Parameters", "parameters of the model", quantity),
    Cost("trainable_parameters", "Trained", "trained parameters", quantity, drawn=False),
    Cost("latency_ms", "10 s record", "one 10 s record, milliseconds", milliseconds),
    Cost("energy_joules", "Energy", "energy of one run, joules", energy),
    Cost("training_flops", "Operations", "operations of training", operations, drawn=False),
    Cost("peak_memory_bytes", "Memory", "peak memory, bytes", lambda value: f"{value / 2**30:.2f} GiB", drawn=False),
)


def cost_part(study: Study) -> Part:
    """A table of costs and a picture of cost against quality."""
    title = "Cost against quality"
    overall = study.overall
    if overall is None:
        return Part("cost", title, ("One entry alone: there is nothing to compare.",))
    costs = {cost.field: entry_costs(study, overall, cost.field) for cost in COSTS}
    known = [cost for cost in COSTS if np.isfinite(costs[cost.field]).sum() > 1]
    if not known:
        return Part("cost", title, ("No costs are known.",))
    quality, name, ends = _quality(overall)
    fronts = {cost.field: pareto_front(costs[cost.field], quality) for cost in known}
    intro = (
        f"Costs are medians over an entry's tasks of its mean over seeds. Quality is the {name}. On the Pareto front "
        "(bold): no other entry is both cheaper and at least as good.",
        *_devices(study),
    )
    panels = [
        CostPanel(cost.axis, costs[cost.field], fronts[cost.field])
        for cost in known
        if cost.drawn and (costs[cost.field] > 0).any()
    ]
    modes = [entry.mode for entry in overall.entries]
    names = [entry.key for entry in overall.entries]
    picture = Picture(
        "cost-quality",
        f"{name.capitalize()} against cost (logarithmic axis). Numbers: the entry, as listed; the line joins the "
        "Pareto front." + (" Bars: 95 % interval of the quality." if ends is not None else ""),
        plot_costs(panels, quality, ends, names, modes, quality_name=name, inverted=name == "mean rank"),
        "Cost against quality; the table below has the numbers and marks the Pareto front",
    )
    table = cost_table(overall, quality, name, known, costs, fronts)
    return Part("cost", title, intro, (Block(tables=(table,), pictures=(picture,) if panels else ()),))


def entry_costs(study: Study, overall: OverallStanding, field: str) -> Floats:
    """(entries,) see `median_cost`; NaN where unknown."""
    return np.array([median_cost(_rows(study, entry), field) for entry in overall.entries])


def cost_table(
    overall: OverallStanding,
    quality: Floats,
    name: str,
    known: list[Cost],
    costs: dict[str, Floats],
    fronts: dict[str, NDArray[np.bool_]],
) -> Table:
    """One row per entry, in the standing's order; costs on their front in bold."""
    rows = []
    for i, entry in enumerate(overall.entries):
        cells = [
            Cell(
                cost.text(value) if math.isfinite(value := float(costs[cost.field][i])) else "",
                strong=bool(fronts[cost.field][i]),
            )
            for cost in known
        ]
        shown = -quality[i] if name == "mean rank" else quality[i]
        rows.append(
            (Cell(str(i + 1)), *entry_cells(entry), Cell(fixed(shown, 1 if name == "mean rank" else 3)), *cells)
        )
    columns = (
        Column("No."),
        *entry_columns(),
        *(Column(title, "right") for title in (name.capitalize(), *(c.title for c in known))),
    )
    caption = "Costs per entry. Bold: on the Pareto front of this cost and the quality. Operations are an estimate."
    return Table("cost", caption, columns, tuple(rows))


def _quality(overall: OverallStanding) -> tuple[Floats, str, tuple[Floats, Floats] | None]:
    """(higher is better, name, ends). The skill where all entries have one, else the mean rank, as its negative."""
    if overall.baseline and np.isfinite(overall.skill).all():
        return overall.skill, "skill", (overall.skill_low, overall.skill_high)
    quality = np.where(overall.enough, -overall.mean_rank, np.nan)
    return quality, "mean rank", (-overall.rank_high, -overall.rank_low)


def _rows(study: Study, entry: Entry) -> list[Row]:
    found = [study.cell(entry, task) for task in study.standings]
    return [row for cell in found if cell is not None for row in cell[0].scores.rows[cell[1]]]


def _devices(study: Study) -> tuple[str, ...]:
    devices = sorted({row.device for row in study.rows if row.device and row.origin == "ours"})
    if len(devices) < 2:
        return ()
    return (f"The runs used different devices ({', '.join(devices)}): their times and energies are not comparable.",)
