"""A matrix of ranks as a heat map with its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from hf_ecg_bench.results.plots.style import INK, MUTED, RULE, new_figure, plain

_CELL_HEIGHT = 0.26  # inches
# Cividis (Nunez, Anderton & Renslow 2018) is the same order of lightness for every colour vision. Its colours stay as
# they are in a dark page, so the numbers on them do too: neither is one of the page's own colours.
_COLOURS = colormaps["cividis"]
_DARK, _LIGHT = "#101112", "#fdfdfd"
_MIDDLE = 0.18  # where black and white differ from a colour by the same ratio


def plot_heat_map(values: NDArray[np.float64], rows: Sequence[str], columns: Sequence[str]) -> Figure:
    """Cells with their number, NaN empty; the lower the darker.

    Args:
        values: (rows, columns).
    """
    width = 2.6 + max(0.42, min(1.1, 7.0 / max(len(columns), 1))) * len(columns)
    figure = new_figure(width, _CELL_HEIGHT * len(rows) + 1.5)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    for (i, j), value in np.ndenumerate(values):
        if not np.isfinite(value):
            axes.add_patch(Rectangle((j - 0.47, i - 0.45), 0.94, 0.9, facecolor="none", edgecolor=RULE, linewidth=0.8))
            continue
        shade = _COLOURS((value - low) / ((high - low) or 1.0))
        axes.add_patch(Rectangle((j - 0.47, i - 0.45), 0.94, 0.9, facecolor=shade, linewidth=0))
        text = f"{value:.0f}" if (known == known.round()).all() else f"{value:.1f}"
        axes.text(
            j, i, text, ha="center", va="center", fontsize=8, color=_LIGHT if _luminance(shade) < _MIDDLE else _DARK
        )
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)))
    axes.set_xticklabels([plain(name, 24) for name in columns], rotation=35, ha="left", parse_math=False)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([plain(name) for name in rows], parse_math=False)
    axes.tick_params(colors=INK, labelsize=8, length=0, color=MUTED)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _luminance(colour: tuple[float, float, float, float]) -> float:
    """Relative luminance (WCAG 2), 0 to 1, with the curve of sRGB taken as a power of 2.2."""
    red, green, blue = (part**2.2 for part in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
