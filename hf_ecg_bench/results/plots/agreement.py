"""Agreement of a regression target's predictions with its true values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hf_ecg_bench.results.plots.style import BLUE, MUTED, dress, new_figure, title

FloatArray = NDArray[np.floating]


def plot_agreement(
    targets: FloatArray,
    predictions: FloatArray,
    names: Sequence[str],
    notes: Sequence[str],
    units: Sequence[str],
) -> Figure:
    """Predicted against true, one panel per target, on equal axes; records without the target are left out.

    Args:
        targets, predictions: (records, targets).
        names, notes, units: title, second line and unit of the axes per target.
    """
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(2.9 * columns, 3.1 * rows)
    for index in range(len(names)):
        axes = figure.add_subplot(rows, columns, index + 1)
        known = np.isfinite(targets[:, index])
        true, predicted = targets[known, index], predictions[known, index]
        both = np.concatenate([true, predicted])
        low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 1.0)
        margin = 0.05 * ((high - low) or 1.0)
        limits = (low - margin, high + margin)
        axes.plot(limits, limits, color=MUTED, alpha=0.7, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.plot(
            true,
            predicted,
            "o",
            color=BLUE,
            markersize=3.5,
            markeredgewidth=0,
            alpha=float(np.clip(150 / max(len(true), 1), 0.08, 0.6)),
            # Thousands of separate dots would make a heavy SVG.
            rasterized=len(true) > 2000,
        )
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        axes.locator_params(nbins=4)
        axes.set_xlabel(f"true ({units[index]})", parse_math=False)
        axes.set_ylabel(f"predicted ({units[index]})", parse_math=False)
        dress(axes, size=8)
        title(axes, names[index], note=notes[index])
    return figure
