"""Quality against cost on a logarithmic axis, one panel a cost, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from hf_ecg_bench.overview.plots.modes import mode_look
from hf_ecg_bench.results.plots.style import GROUND, INK, MUTED, dress, new_figure, plain
from hf_ecg_bench.results.quantities import quantity

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CostPanel:
    """One cost: its axis' name, (entries,) values with NaN where unknown, and which are on the front."""

    name: str
    cost: Floats
    front: NDArray[np.bool_]


def plot_costs(
    panels: Sequence[CostPanel],
    quality: Floats,
    ends: tuple[Floats, Floats] | None,
    names: Sequence[str],
    modes: Sequence[str],
    *,
    quality_name: str,
    inverted: bool,
) -> Figure:
    """Panels two in a row; entries as numbers from 1, told apart by their mode's colour and shape.

    Args:
        quality: (entries,), higher is better; `ends`: its interval.
        inverted: quality is minus a rank, and the axis shows ranks.
    """
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    width = 3.9 * columns + 2.6
    figure = new_figure(width, max(3.3 * lines, 0.19 * len(names) + 1.2))
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(lines, columns, number + 1)
        shown = np.flatnonzero(np.isfinite(quality) & (panel.cost > 0))
        front = shown[panel.front[shown]]
        front = front[np.argsort(panel.cost[front])]
        axes.step(panel.cost[front], quality[front], where="post", color=MUTED, linewidth=1.2, zorder=1)
        for i in shown.tolist():
            look = mode_look(modes[i])
            if ends is not None and np.isfinite(ends[0][i]) and np.isfinite(ends[1][i]):
                axes.plot([panel.cost[i]] * 2, [ends[0][i], ends[1][i]], color=look["color"], linewidth=0.8, alpha=0.45)
            hollow: dict[str, Any] = {} if panel.front[i] else {"markerfacecolor": GROUND}
            axes.plot(panel.cost[i], quality[i], **look, **hollow, markersize=6, linestyle="none", zorder=2)
            axes.annotate(
                str(i + 1),
                (panel.cost[i], quality[i]),
                xytext=(4.5, 3),
                textcoords="offset points",
                fontsize=7.5,
                color=INK,
                fontweight="bold" if panel.front[i] else "normal",
            )
        axes.set_xscale("log")
        axes.margins(x=0.12)
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        low, high = axes.get_xlim()
        if high / low < 30:  # too few powers of ten for an axis that can be read
            axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value)))
        if inverted:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{-value:g}"))
        axes.set_xlabel(panel.name)
        axes.set_ylabel(quality_name if number % columns == 0 else "")
        dress(axes, size=8, grid="both")
    handles = [
        Line2D([], [], **mode_look(mode), linestyle="none", markersize=6, label=f"{i + 1}  {plain(name, 30)}")
        for i, (name, mode) in enumerate(zip(names, modes, strict=True))
    ]
    legend = figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=7.5, handletextpad=0.3)
    for text in legend.get_texts():
        text.set_color(INK)
        text.set_parse_math(False)
    return figure
