"""Values of several ways of adapting, joined per model: one small panel a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hf_ecg_bench.overview.plots.modes import mode_look
from hf_ecg_bench.results.plots.style import INK, MUTED, dress, plain, small_multiples, title

_ROW = 0.23  # inches
_DASHED = (0, (4, 3))


def plot_dumbbells(
    titles: Sequence[str],
    models: Sequence[str],
    modes: Sequence[str],
    values: Sequence[Mapping[tuple[str, str], float]],
    *,
    references: Sequence[float],
    reference_name: str,
) -> Figure:
    """Panels three in a row, models from top to bottom, modes told apart by colour and shape.

    Args:
        titles: of the panels.
        values: per panel (model, mode) -> value; absent or NaN ones are left out.
        references: per panel a value to draw as a dashed line, NaN for none; all are called `reference_name`.
    """
    height = _ROW * len(models) + 0.2
    figure, panels, _ = small_multiples(len(titles), (2.35, height), columns=3)
    # Room for the models' names, and for the modes' below: the grid was made without them.
    _widen(figure, 0.075 * max(len(plain(name, 22)) for name in models), 0.34)
    for panel, name, cells, reference in zip(panels, titles, values, references, strict=True):
        axes = panel.axes
        if np.isfinite(reference):
            axes.axvline(reference, color=INK, linewidth=1, linestyle=_DASHED, zorder=1)
        for row, model in enumerate(models):
            known = [cells[model, mode] for mode in modes if np.isfinite(cells.get((model, mode), np.nan))]
            if known:
                axes.plot([min(known), max(known)], [row, row], color=MUTED, linewidth=1, zorder=1)
            for mode in modes:
                value = cells.get((model, mode), np.nan)
                if np.isfinite(value):
                    axes.plot(value, row, **mode_look(mode), markersize=5.5, linestyle="none", zorder=2)
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.set_yticks(range(len(models)))
        names = [plain(model, 22) for model in models] if panel.left else []
        axes.set_yticklabels(names or [""] * len(models), parse_math=False)
        axes.locator_params(axis="x", nbins=4)
        dress(axes, size=8, grid="x")
        axes.tick_params(axis="y", length=0)
        title(axes, plain(name, 40), size=8)
    handles = [Line2D([], [], **mode_look(mode), markersize=6, linestyle="none", label=mode) for mode in modes]
    if np.isfinite(references).any():
        handles.append(Line2D([], [], color=INK, linewidth=1, linestyle=_DASHED, label=plain(reference_name)))
    legend = figure.legend(handles=handles, loc="lower center", ncols=min(7, len(handles)), frameon=False, fontsize=8)
    for text in legend.get_texts():
        text.set_color(INK)
        text.set_parse_math(False)
    return figure


def _widen(figure: Figure, left: float, below: float) -> None:
    """Add inches at the left and below, and keep every panel's size."""
    width, height = figure.get_size_inches()
    for axes in figure.axes:
        x, y, w, h = axes.get_position().bounds
        axes.set_position(
            (
                (x * width + left) / (width + left),
                (y * height + below) / (height + below),
                w * width / (width + left),
                h * height / (height + below),
            )
        )
    figure.set_size_inches(width + left, height + below)
