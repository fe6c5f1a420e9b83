"""Reliability diagrams: does a predicted probability of 30 % come true in 30 % of the records?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hf_ecg_bench.results.plots.style import BLUE, INK, MUTED, RULE, dress, new_figure, plain

FloatArray = NDArray[np.floating]
_Z = 1.959964  # 97.5 % point of the normal distribution


@dataclass(frozen=True)
class Bins:
    """Records of one label in bins of equal width of the predicted probability; NaN where a bin is empty.

    Attributes:
        counts: records per bin.
        predicted: mean predicted probability.
        observed: share of positives; `low`, `high`: its 95 % Wilson score interval (Wilson 1927).
    """

    counts: NDArray[np.integer]
    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray


def reliability_bins(target: FloatArray, probability: FloatArray, bins: int = 10) -> Bins:
    """Bin the records whose target is known. A probability of exactly 1 belongs to the last bin."""
    known = np.isfinite(target)
    target, probability = target[known], probability[known]
    index = np.clip((probability * bins).astype(int), 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    n = np.where(counts > 0, counts, np.nan)
    predicted = np.bincount(index, probability, minlength=bins) / n
    observed = np.bincount(index, target == 1, minlength=bins) / n
    centre = (observed + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(observed * (1 - observed) / n + _Z**2 / (4 * n**2))
    return Bins(counts, predicted, observed, np.maximum(centre - half, 0), np.minimum(centre + half, 1))


def plot_reliability(targets: FloatArray, probabilities: FloatArray, names: Sequence[str]) -> Figure:
    """One panel per label, four in a row: observed against predicted, and below it how many records each bin holds."""
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(2.3 * columns, 3.0 * rows)
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[3, 1] * rows)
    for index, name in enumerate(names):
        row, column = divmod(index, columns)
        axes = figure.add_subplot(grid[2 * row, column])
        counts = figure.add_subplot(grid[2 * row + 1, column], sharex=axes)
        binned = reliability_bins(targets[:, index], probabilities[:, index])
        axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, linestyle=(0, (4, 3)))
        errors = [binned.observed - binned.low, binned.high - binned.observed]
        axes.errorbar(
            binned.predicted,
            binned.observed,
            np.maximum(errors, 0),
            color=BLUE,
            marker="o",
            markersize=4,
            linewidth=1.2,
            elinewidth=0.9,
        )
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        axes.set_yticklabels(("0", ".5", "1"))
        axes.set_title(plain(name), loc="left", fontsize=9, color=INK, parse_math=False)
        axes.tick_params(labelbottom=False)
        dress(axes, size=8)
        _plot_counts(counts, binned.counts)
    figure.supxlabel("Predicted probability", fontsize=9, color=INK)
    figure.supylabel("Observed share of positives, and records per bin (log scale)", fontsize=9, color=INK)
    return figure


def _plot_counts(axes, counts: NDArray[np.integer]) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    width = 1 / len(counts)
    axes.bar((np.arange(len(counts)) + 0.5) * width, counts, width=0.85 * width, color=MUTED, alpha=0.55)
    axes.set_yscale("symlog", linthresh=1)
    top = max(int(counts.max()), 1)
    axes.set_ylim(0, top * 1.6)
    axes.set_yticks((0, top))
    axes.set_yticklabels(("0", f"{top:,}"))
    axes.minorticks_off()
    axes.set_xticks((0, 0.5, 1))
    axes.set_xticklabels(("0", ".5", "1"))
    dress(axes, size=8)
