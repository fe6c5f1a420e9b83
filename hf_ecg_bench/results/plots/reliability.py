"""Reliability diagrams: does a predicted probability of 30 % come true in 30 % of the records?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hf_ecg_bench.results.plots.style import BLUE, MUTED, Panel, dress, label_sides, small_multiples, title

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
    """One panel per label, four in a row: observed against predicted, and below it the records per bin."""
    figure, panels, counts = small_multiples(len(names), (1.85, 1.85), columns=4, lower=0.5)
    for index, (panel, below) in enumerate(zip(panels, counts, strict=True)):
        axes = panel.axes
        binned = reliability_bins(targets[:, index], probabilities[:, index])
        axes.plot([0, 1], [0, 1], color=MUTED, alpha=0.7, linewidth=0.8, linestyle=(0, (4, 3)))
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
        title(axes, names[index])
        dress(axes, size=8)
        axes.tick_params(labelleft=panel.left, labelbottom=False)
        _plot_counts(below, binned.counts)
    label_sides(figure, "Predicted probability", "Observed share of positives; below: records per bin (log)")
    return figure


def _plot_counts(panel: Panel, counts: NDArray[np.integer]) -> None:
    axes = panel.axes
    width = 1 / len(counts)
    axes.bar((np.arange(len(counts)) + 0.5) * width, counts, width=0.85 * width, color=MUTED, alpha=0.55)
    axes.set_yscale("symlog", linthresh=1)
    top = max(int(counts.max()), 1)
    axes.set(xlim=(-0.03, 1.03), ylim=(0, top * 1.6), xticks=(0, 0.5, 1), yticks=(0, top))
    axes.set_xticklabels(("0", ".5", "1"))
    axes.set_yticklabels(("", f"{top:,}"))
    axes.minorticks_off()
    dress(axes, size=7.5)
    axes.tick_params(labelbottom=panel.below)
