"""Plots: their numbers against direct computations, their geometry in inches and millimetres, their text."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hf_ecg_bench.evaluation import auroc
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.plots.ecg_paper import paper_size, plot_ecg
from hf_ecg_bench.results.plots.forest import plot_forest
from hf_ecg_bench.results.plots.learning_curve import plot_learning_curve
from hf_ecg_bench.results.plots.reliability import plot_reliability, reliability_bins
from hf_ecg_bench.results.plots.roc import plot_roc, roc_points
from hf_ecg_bench.results.plots.style import plain, to_png, to_svg
from tests.results.fake_run import fake_ecg


def tick_boxes(figure: Figure) -> list[list[tuple[float, float]]]:
    """Vertical extents of the tick labels of each vertical axis."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    found = []
    for axes in figure.axes:
        boxes = [label.get_window_extent(renderer) for label in axes.get_yticklabels() if label.get_text()]
        found.append(sorted((box.y0, box.y1) for box in boxes))
    return found


def test_area_under_the_points_is_the_auroc() -> None:
    random = np.random.default_rng(0)
    target = random.integers(0, 2, 400).astype(float)
    score = np.round(random.random(400) + 0.3 * target, 1)  # many ties
    target[:20] = np.nan
    false_rate, true_rate = roc_points(target, score)
    assert np.trapezoid(true_rate, false_rate) == pytest.approx(auroc(target[:, None], score[:, None])[0], abs=1e-12)
    assert (false_rate[0], true_rate[0], false_rate[-1], true_rate[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize("target", [np.ones(3), np.zeros(3), np.full(3, np.nan), np.empty(0)])
def test_no_curve_where_a_class_is_absent(target: np.ndarray) -> None:
    false_rate, _ = roc_points(target, np.linspace(0, 1, len(target)))
    assert len(false_rate) == 0
    assert plot_roc(target[:, None], target[:, None], ["x"], [""])


def test_reliability_bins() -> None:
    target = np.array([0, 1, 1, 1, np.nan, 0])
    probability = np.array([0.05, 0.05, 0.95, 1.0, 0.5, 0.31])
    bins = reliability_bins(target, probability)
    assert bins.counts.tolist() == [2, 0, 0, 1, 0, 0, 0, 0, 0, 2]
    assert bins.observed[[0, 3, 9]].tolist() == [0.5, 0.0, 1.0]
    assert bins.predicted[9] == pytest.approx(0.975)
    # Wilson interval of 2 of 2: lower end 1 / (1 + z^2 / 2).
    assert bins.low[9] == pytest.approx(1 / (1 + 1.959964**2 / 2))
    assert bins.high[9] == pytest.approx(1)
    assert np.isnan(bins.observed[1])


def test_ecg_paper_is_at_scale() -> None:
    rate = 500
    figure = plot_ecg(fake_ecg(rate=rate), rate)
    width, height = figure.get_size_inches() * 25.4
    assert (width, height) == pytest.approx(paper_size(10.0))
    axes = figure.axes[0]
    assert axes.get_position().bounds == (0, 0, 1, 1)
    # Data units are millimetres in both directions: no distortion.
    assert axes.get_xlim() == pytest.approx((0, width))
    assert axes.get_ylim() == pytest.approx((0, height))
    strip = max(axes.lines, key=lambda line: len(line.get_xdata()) if np.isfinite(line.get_xdata()).all() else 0)
    x = np.asarray(strip.get_xdata())
    assert len(x) == 10 * rate
    assert x[rate] - x[0] == pytest.approx(25.0)  # a second


def test_a_millivolt_is_ten_millimetres_and_offsets_are_removed() -> None:
    signal = np.full((5000, 12), 3.0, dtype=np.float32)
    signal[2000:2100, 1] += 1.0
    lines = plot_ecg(signal, 500).axes[0].lines
    rhythm = next(np.asarray(line.get_ydata()) for line in lines if len(line.get_ydata()) == 5000)
    assert np.ptp(rhythm) == pytest.approx(10.0, abs=1e-5)
    pulse = next(line for line in lines if len(line.get_xdata()) == 6 and np.isfinite(line.get_xdata()).all())
    assert (np.ptp(pulse.get_ydata()), pulse.get_xdata()[3] - pulse.get_xdata()[2]) == (10.0, 5.0)


def test_leads_stand_where_clinics_print_them() -> None:
    figure = plot_ecg(fake_ecg(), 500, caption="x")
    texts = {t.get_text(): t.get_position() for t in figure.axes[0].texts}
    for row in (("I", "aVR", "V1", "V4"), ("aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")):
        assert len({texts[name][1] for name in row}) == 1
        assert sorted(texts[name][0] for name in row) == [texts[name][0] for name in row]
    assert sum(t.get_text() == "II" for t in figure.axes[0].texts) == 2


@pytest.mark.parametrize("seconds", [1.0, 5.0, 30.0])
def test_other_lengths_and_missing_samples(seconds: float) -> None:
    signal = fake_ecg(seconds, 100)
    signal[5:20] = np.nan
    signal[:, 3] = np.nan
    assert to_png(plot_ecg(signal, 100), dpi=40).startswith(b"\x89PNG")
    assert paper_size(seconds)[0] <= 265


def test_rows_of_a_long_forest_do_not_overlap() -> None:
    heights = []
    for count in (1, 8, 71):
        names = [f"label {index}" for index in range(count)]
        figure = plot_forest(names, [Estimate(0.9, 0.8, 0.95)] * count, label="AUROC", reference=0.5)
        heights.append(figure.get_size_inches()[1])
        for boxes in tick_boxes(figure):
            assert all(a[1] <= b[0] for a, b in itertools.pairwise(boxes))
    assert heights[0] < heights[1] < heights[2]
    assert heights[2] > 71 * 0.2


def test_panels_of_many_labels_keep_their_size() -> None:
    random = np.random.default_rng(0)
    for plot in (
        lambda t, p, names: plot_roc(t, p, names, names),
        lambda t, p, names: plot_reliability(t, p, names),
    ):
        sizes = []
        for count in (5, 13):
            targets = random.integers(0, 2, (30, count)).astype(float)
            figure = plot(targets, random.random((30, count)), [f"L{index}" for index in range(count)])
            boxes = [axes.get_position() for axes in figure.axes]
            assert all(not a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
            sizes.append(boxes[0].height * figure.get_size_inches()[1])
        assert sizes[0] == pytest.approx(sizes[1])


def test_forest_of_undefined_estimates() -> None:
    figure = plot_forest(["a"], [Estimate()], label="AUROC", summary=("macro", Estimate()))
    assert "undefined" in to_svg(figure, prefix="x")


def test_learning_curve_without_the_best_epoch() -> None:
    assert plot_learning_curve([1, 2], [1.0, np.nan], [np.nan, np.nan], metric="x")
    assert plot_learning_curve([1], [1.0], [0.5], metric="x", best_epoch=1)


def test_svg_of_hostile_text_is_well_formed_and_themed() -> None:
    names = ['<script>alert("1")</script>', 'id="x" $\\frac{', "a\x00b]]>"]
    svg = to_svg(plot_forest(names, [Estimate(0.5)] * 3, label="AUROC"), prefix="p1")
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    assert not [item for item in root.iter() if item.tag.endswith("script")]
    assert 'id="x"' in "".join(root.itertext())
    assert "var(--ink, #1f2328)" in svg
    ids = [item.get("id") for item in root.iter() if item.get("id")]
    assert all(name.startswith("p1-") for name in ids)
    assert len(set(ids)) == len(ids)


def test_figures_are_the_same_bytes_each_time() -> None:
    def draw() -> str:
        return to_svg(plot_ecg(fake_ecg(), 500), prefix="e")

    assert draw() == draw()


def test_long_names_are_shortened_in_the_middle() -> None:
    assert plain("a" * 50 + "z") == "a" * 17 + "…" + "a" * 15 + "z"
    assert len(plain("x" * 99, 10)) == 10
    assert plain("a\nb") == "a\N{REPLACEMENT CHARACTER}b"
