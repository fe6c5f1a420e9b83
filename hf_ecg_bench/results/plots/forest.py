"""Forest plot: one estimate with its interval per row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.plots.style import BLUE, GROUND, INK, MUTED, ORANGE, dress, new_figure, plain

ROW = 0.24  # inches: text of 9 points and air around it


def plot_forest(
    names: Sequence[str],
    estimates: Sequence[Estimate],
    *,
    label: str,
    notes: Sequence[str] = (),
    summary: tuple[str, Estimate] | None = None,
    reference: float | None = None,
    doubtful: Sequence[bool] = (),
    width: float = 8.6,
    digits: int = 3,
) -> Figure:
    """Rows from top to bottom in the given order; the summary (macro) last, as a diamond.

    Args:
        names, estimates: one row each; undefined estimates keep their row and say so.
        label: name of the horizontal axis.
        notes: text at the right end of each row.
        reference: a vertical line (0.5 for AUROC).
        doubtful: rows to draw hollow.
        digits: of the numbers at the right end.
    """
    names, estimates = list(names), list(estimates)
    count = len(names) + (summary is not None)
    figure = new_figure(width, ROW * count + 0.8)
    axes = figure.add_subplot()
    if reference is not None:
        axes.axvline(reference, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for row, estimate in enumerate(estimates):
        hollow = bool(doubtful) and doubtful[row]
        if estimate.has_interval:
            axes.plot(
                [estimate.low, estimate.high],
                [row, row],
                color=BLUE,
                linewidth=1.6,
                alpha=0.5 if hollow else 1,
            )
        if estimate.defined:
            axes.plot(
                estimate.value,
                row,
                "o",
                markersize=5,
                color=BLUE,
                markerfacecolor=GROUND if hollow else BLUE,
            )
        else:
            axes.text(
                0.01,
                row,
                "undefined",
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=8,
                color=MUTED,
            )
    if summary is not None:
        row = len(names)
        axes.axhline(row - 0.5, color=MUTED, linewidth=0.6)
        estimate = summary[1]
        if estimate.has_interval:
            diamond_x = [estimate.low, estimate.value, estimate.high, estimate.value]
            axes.fill(diamond_x, [row, row - 0.28, row, row + 0.28], color=ORANGE, linewidth=0)
        elif estimate.defined:
            axes.plot(estimate.value, row, "D", markersize=6, color=ORANGE)
        names.append(summary[0])
        estimates.append(summary[1])
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_xlim(*_limits(estimates, reference))
    axes.set_yticks(range(count))
    axes.set_yticklabels([plain(name) for name in names], parse_math=False)
    axes.set_xlabel(label)
    dress(axes, grid="x")
    axes.tick_params(axis="y", length=0)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(count))
    texts = [
        estimate.format(digits) + (f"  ·  {note}" if note else "")
        for estimate, note in zip(estimates, _padded(notes, count), strict=True)
    ]
    right.set_yticklabels(texts, parse_math=False)
    right.tick_params(length=0, labelsize=8, colors=INK)
    right.spines["right"].set_visible(False)
    return figure


def _limits(estimates: Sequence[Estimate], reference: float | None) -> tuple[float, float]:
    ends = [end for item in estimates for end in (item.value, item.low, item.high) if np.isfinite(end)]
    if reference is not None:
        ends.append(reference)
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    margin = 0.04 * ((high - low) or 1.0)
    return low - margin, high + margin


def _padded(notes: Sequence[str], count: int) -> list[str]:
    return [*notes, *[""] * (count - len(notes))]
