"""The critical-difference diagram."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.overview.plots.critical_difference import plot_critical_difference, tied_runs
from hf_ecg_bench.results.plots.style import to_svg_file
from tests.standings.test_across import order


def test_runs_are_the_largest_of_which_no_two_are_separated():
    separated = np.zeros((5, 5), dtype=bool)
    for i, j in ((0, 2), (0, 3), (0, 4), (1, 4)):
        separated[i, j] = separated[j, i] = True
    assert tied_runs(separated) == [(0, 1), (1, 3), (2, 4)]
    assert tied_runs(~np.eye(3, dtype=bool)) == []
    assert tied_runs(np.zeros((3, 3), dtype=bool)) == [(0, 2)]


def test_every_entry_and_the_ruler_are_drawn():
    table = np.array([0.9, 0.85, 0.8, 0.7])[:, None] + np.random.default_rng(0).normal(0, 0.01, (4, 20))
    overall = order(table)
    figure = plot_critical_difference(overall)
    axes, side = figure.axes
    (dots,) = [line for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dots.get_xdata(), sorted(overall.friedman["mean_rank"]))
    (ruler,) = [line for line in axes.lines if line.get_marker() == "|"]
    assert np.ptp(ruler.get_xdata()) == pytest.approx(overall.friedman["critical_difference"])
    assert [text.get_text() for text in axes.get_yticklabels()] == [entry.key for entry in overall.entries]
    assert len(side.lines) == 0, "all are separated"
    svg = to_svg_file(figure)
    assert "critical difference" in svg


def test_names_from_strangers_are_text():
    overall = order(np.random.default_rng(0).random((3, 5)))
    entries = tuple(type(entry)(f"$x^2$<script>{entry.model}", entry.mode) for entry in overall.entries)
    svg = to_svg_file(plot_critical_difference(type(overall)(**{**vars(overall), "entries": entries})))
    assert "<script>" not in svg
    assert "$x^2$" in svg


def test_without_a_test_there_is_no_diagram():
    with pytest.raises(ValueError, match="three entries"):
        plot_critical_difference(order([[0.9, 0.8], [0.7, 0.6]]))
