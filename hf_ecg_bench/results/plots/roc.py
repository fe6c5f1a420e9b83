"""ROC curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hf_ecg_bench.results.plots.style import (
    BLUE,
    INK,
    MUTED,
    dress,
    label_sides,
    new_figure,
    small_multiples,
    title,
)

FloatArray = NDArray[np.floating]


def roc_points(target: FloatArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """False and true positive rates at the curve's corners, from (0, 0) to (1, 1).

    Tied scores are one step (a slanted line), so that the trapezoidal area is the Mann-Whitney AUROC.
    Thresholds between two corners, where the curve goes straight on, are left out.
    Records whose target is NaN are left out; both arrays are empty where a class is absent.
    """
    known = np.isfinite(target)
    target, score = target[known], score[known]
    order = np.argsort(-score, kind="stable")
    positive = np.cumsum(target[order] == 1)
    negative = np.cumsum(target[order] == 0)
    if not len(target) or not positive[-1] or not negative[-1]:
        return np.empty(0), np.empty(0)
    last_of_tie = np.append(np.diff(score[order]) != 0, True)
    true, false = np.append(0, positive[last_of_tie]), np.append(0, negative[last_of_tie])
    # Counts are integers: two steps have the same direction exactly where their cross product is zero.
    up, right = np.diff(true), np.diff(false)
    corner = np.concatenate([[True], up[1:] * right[:-1] != up[:-1] * right[1:], [True]])
    return false[corner] / negative[-1], true[corner] / positive[-1]


def plot_roc(targets: FloatArray, scores: FloatArray, names: Sequence[str], notes: Sequence[str]) -> Figure:
    """One panel per label, four in a row.

    Args:
        targets, scores: (records, labels); NaN target = missing.
        names, notes: title and second line per label.
    """
    figure, panels, _ = small_multiples(len(names), (1.85, 1.85), columns=4)
    for index, panel in enumerate(panels):
        axes = panel.axes
        _square(axes)
        axes.tick_params(labelleft=panel.left, labelbottom=panel.below)
        false_rate, true_rate = roc_points(targets[:, index], scores[:, index])
        if len(false_rate):
            axes.fill_between(false_rate, true_rate, color=BLUE, alpha=0.12, linewidth=0)
            axes.plot(false_rate, true_rate, color=BLUE, linewidth=1.5, solid_joinstyle="bevel")
        else:
            axes.text(0.5, 0.5, "undefined:\none class only", ha="center", va="center", color=MUTED, fontsize=8)
        title(axes, names[index], note=notes[index])
    label_sides(figure, "False positive rate (1 - specificity)", "True positive rate (sensitivity)")
    return figure


def plot_roc_overview(targets: FloatArray, scores: FloatArray) -> Figure:
    """All labels' curves in one panel, with their mean (vertical averaging, Fawcett 2006) drawn strong."""
    figure = new_figure(5.2, 4.6)
    axes = figure.add_subplot()
    _square(axes)
    grid = np.linspace(0, 1, 201)
    curves = []
    for index in range(targets.shape[1]):
        false_rate, true_rate = roc_points(targets[:, index], scores[:, index])
        if len(false_rate):
            axes.plot(false_rate, true_rate, color=MUTED, linewidth=0.6, alpha=0.45)
            curves.append(np.interp(grid, false_rate, true_rate))
    if curves:
        axes.plot(np.append(0.0, grid), np.append(0.0, np.mean(curves, axis=0)), color=BLUE, linewidth=2.4)
    axes.set_xlabel("False positive rate (1 - specificity)", fontsize=9, color=INK)
    axes.set_ylabel("True positive rate (sensitivity)", fontsize=9, color=INK)
    title(axes, f"{len(curves)} labels and their mean curve")
    return figure


def _square(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, alpha=0.7, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), aspect="equal")
    axes.set_xticklabels(("0", ".5", "1"))
    axes.set_yticklabels(("0", ".5", "1"))
    dress(axes, size=8)
