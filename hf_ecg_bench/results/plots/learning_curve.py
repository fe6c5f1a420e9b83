"""Learning curve: training loss and the validation metric over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hf_ecg_bench.results.plots.style import BLUE, INK, MUTED, ORANGE, dress, new_figure, plain


def plot_learning_curve(
    epochs: Sequence[float],
    train_loss: Sequence[float],
    validation: Sequence[float],
    *,
    metric: str,
    best_epoch: float | None = None,
    step: str = "epoch",
) -> Figure:
    """Loss above, validation metric below, the selected epoch marked in both; NaN: no value.

    `step` is what an entry is, where it is no epoch.
    """
    figure = new_figure(8.6, 4.2)
    top = figure.add_subplot(2, 1, 1)
    bottom = figure.add_subplot(2, 1, 2, sharex=top)
    marker = "o" if len(epochs) <= 25 else None
    for axes, values, colour, name in (
        (top, train_loss, MUTED, "training loss"),
        (bottom, validation, BLUE, f"validation {metric}"),
    ):
        axes.plot(epochs, values, color=colour, linewidth=1.6, marker=marker, markersize=3.5)
        if best_epoch is not None:
            axes.axvline(best_epoch, color=ORANGE, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_title(plain(name, 60), loc="left", fontsize=9, color=INK, parse_math=False)
        dress(axes, grid="y")
    at_best = [value for epoch, value in zip(epochs, validation, strict=True) if epoch == best_epoch]
    if at_best and np.isfinite(at_best[0]) and best_epoch is not None:
        bottom.plot(best_epoch, at_best[0], "o", color=ORANGE, markersize=6)
        # The label goes to the side where there is room.
        left = best_epoch > (min(epochs) + max(epochs)) / 2
        bottom.annotate(
            f"best {step.split(',')[0]} {best_epoch:g}: {at_best[0]:.3f}",
            (best_epoch, at_best[0]),
            xytext=(-8 if left else 8, -13),
            textcoords="offset points",
            ha="right" if left else "left",
            fontsize=9,
            color=ORANGE,
        )
    top.tick_params(labelbottom=False)
    bottom.set_xlabel(step, fontsize=9, color=INK)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
    bottom.margins(x=0.02, y=0.22)
    return figure
