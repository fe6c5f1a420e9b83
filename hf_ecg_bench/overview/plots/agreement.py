"""Our values against published ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hf_ecg_bench.overview.plots.modes import mode_look
from hf_ecg_bench.results.plots.style import GROUND, INK, MUTED, dress, new_figure, title

_PANELS = ((True, "scores, higher is better"), (False, "errors, lower is better"))


def plot_beside(
    published: Sequence[float],
    ours: Sequence[float],
    modes: Sequence[str],
    comparable: Sequence[bool],
    higher_is_better: Sequence[bool],
) -> Figure:
    """One panel for scores and one for errors, as far as there are any; equal axes with the diagonal."""
    panels = [panel for panel in _PANELS if panel[0] in higher_is_better]
    figure = new_figure(3.7 * len(panels) + 1.6, 3.7)
    for number, (higher, name) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), number + 1)
        those = [i for i, value in enumerate(higher_is_better) if value == higher]
        both = np.array([(published[i], ours[i]) for i in those])
        margin = 0.05 * max(float(np.ptp(both)), 1e-3)
        ends = float(both.min()) - margin, float(both.max()) + margin
        axes.plot(ends, ends, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        for i in those:
            face: dict[str, Any] = {} if comparable[i] else {"markerfacecolor": GROUND}
            axes.plot(published[i], ours[i], **mode_look(modes[i]), **face, markersize=5.5, linestyle="none", zorder=2)
        axes.set_xlim(*ends)
        axes.set_ylim(*ends)
        axes.set_aspect("equal")
        axes.set_xlabel("published")
        axes.set_ylabel("ours")
        title(axes, name, size=8.5)
        dress(axes, size=8, grid="both")
    shown = list(dict.fromkeys(modes))
    handles = [Line2D([], [], **mode_look(mode), linestyle="none", markersize=6, label=mode) for mode in shown]
    legend = figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=8)
    for text in legend.get_texts():
        text.set_color(INK)
        text.set_parse_math(False)
    return figure
