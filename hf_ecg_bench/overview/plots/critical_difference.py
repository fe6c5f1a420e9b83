"""Critical-difference diagram (Demsar 2006, JMLR 7): mean ranks over tasks, and which of them tests cannot separate.

One row per entry instead of the usual lines to names at both sides: it stays readable with twenty entries and more.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hf_ecg_bench.results.plots.style import BLUE, INK, MUTED, ORANGE, dress, new_figure, plain
from hf_ecg_bench.standings.overall import OverallStanding

ROW = 0.24  # inches
_ALPHA = 0.05
_BAR = 0.2  # inches between bars


def plot_critical_difference(overall: OverallStanding, *, alpha: float = _ALPHA, width: float = 8.6) -> Figure:
    """Mean ranks of Friedman's test (tasks that all of its entries have), best at the top.

    Bars at the right join entries of which no two are separated (Wilcoxon's signed-rank test over tasks, Holm-adjusted,
    `overall.pairs`); every largest such run of neighbours has one. The ruler above is Nemenyi's critical difference: by
    that coarser test, entries further apart than it are separated.

    Args:
        overall: with `friedman`; an entry that is not part of the test has no row.

    Raises:
        ValueError: there is no Friedman test in it (below three entries or two complete tasks).
    """
    test = overall.friedman
    if not test:
        raise ValueError("no Friedman test: it needs three entries and two tasks that all of them have")
    mean = np.array(test["mean_rank"], dtype=np.float64)
    positions = np.array(test["entries"], dtype=np.intp)
    order = np.argsort(mean, kind="stable")
    mean, positions = mean[order], positions[order]
    names = [overall.entries[i].key for i in positions.tolist()]
    pairs = overall.pairs[np.ix_(positions, positions)]
    with np.errstate(invalid="ignore"):
        runs = tied_runs(pairs < alpha)
    k, cd = len(names), float(test["critical_difference"])
    bars_width = _BAR * len(runs) + 0.25
    figure = new_figure(width + bars_width - 0.25, ROW * k + 1.1)
    axes, side = figure.subplots(1, 2, width_ratios=[width, max(bars_width, 0.3)], sharey=True)
    for row in range(k):
        axes.plot([1, mean[row]], [row, row], color=MUTED, linewidth=0.6, alpha=0.5)
    axes.plot(mean, np.arange(k), "o", color=BLUE, markersize=6, linestyle="none")
    for row, value in enumerate(mean.tolist()):
        axes.annotate(
            f"{value:.2f}", (value, row), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8, color=INK
        )
    # The ruler: above the first row, beginning at the best entry.
    end = mean[0] + cd
    axes.plot([mean[0], end], [-1.2, -1.2], color=INK, linewidth=2, marker="|", markersize=8)
    axes.annotate(
        f"critical difference {cd:.2f}",
        (mean[0], -1.2),
        xytext=(0, 6),
        textcoords="offset points",
        fontsize=8.5,
        color=INK,
    )
    for column, (first, last) in enumerate(runs):
        side.plot(
            [column, column], [first - 0.2, last + 0.2], color=ORANGE, linewidth=3.5, solid_capstyle="round", zorder=2
        )
    axes.set_ylim(k - 0.4, -2.3)
    axes.set_xlim(1 - 0.02 * k, max(k, end) + 0.06 * k)
    axes.set_yticks(range(k))
    axes.set_yticklabels([plain(name, 44) for name in names], parse_math=False)
    axes.set_xlabel(f"mean rank over {test['n_tasks']} tasks (1 is best)")
    dress(axes, grid="x")
    axes.tick_params(axis="y", length=0)
    side.set_xlim(-0.6, max(len(runs), 1) - 0.4)
    side.set_axis_off()
    if runs:
        side.text(-0.5, -1.2, "not separated", fontsize=8.5, color=ORANGE, va="center", clip_on=False)
    return figure


def tied_runs(separated: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, last) of every largest run of neighbours, in order of rank, of which no two are separated."""
    runs: list[tuple[int, int]] = []
    k = len(separated)
    for first in range(k):
        last = first
        while last + 1 < k and not separated[first : last + 1, last + 1].any():
            last += 1
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs
