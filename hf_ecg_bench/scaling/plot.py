"""Learning curves of one task: error against training records, on a logarithmic axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from hf_ecg_bench.results.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, dress, new_figure, plain, title
from hf_ecg_bench.scaling.tables import count, error_name

# Okabe & Ito's colours, then again with other markers; curves also differ by marker, for print without colour.
_COLOURS = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", "#e69f00", "#000000", MUTED)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h", "*")
_DASHED = (0, (4, 3))
_BANDS = 4  # beyond this many curves bands only hide each other, and only lines are drawn
_SPREAD = 1.03  # curves of equal sizes stand side by side, by 3 % of the records


def plot_scaling(task: str, entry: dict[str, Any]) -> Figure:
    """Points with the interval from the test set, single runs as ticks, laws with their band; dashed: extrapolated.

    Args:
        entry: of one task, from `analysis.analyse`.
    """
    curves = entry["curves"]
    figure = new_figure(8.6, 4.6 + 0.16 * max(0, len(curves) - 6))
    axes = figure.add_subplot()
    for number, curve in enumerate(curves):
        aside = _SPREAD ** (number - (len(curves) - 1) / 2)
        colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
        _draw(axes, curve, colour, marker, aside, band=len(curves) <= _BANDS)
    axes.set_xscale("log")
    _ticks(axes, sorted({point["records"] for curve in curves for point in curve["points"]}), curves)
    axes.set_xlabel("training records")
    axes.set_ylabel(error_name(entry))
    axes.set_ylim(*_limits(curves))
    title(axes, task, note="bars: test patients, 95 %; ticks: runs; dashed: extrapolated")
    dress(axes, grid="y")
    # In the order in which the curves end, so that the eye finds them.
    handles, labels = axes.get_legend_handles_labels()
    order = np.argsort([-curve["points"][-1]["error"]["value"] for curve in curves], kind="stable")
    legend = axes.legend(
        [handles[number] for number in order],
        [labels[number] for number in order],
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        frameon=False,
        fontsize=8,
        borderaxespad=0,
        handlelength=1.6,
    )
    for text in legend.get_texts():
        text.set_color(INK)
        text.set_parse_math(False)
    return figure


def _draw(axes: Axes, curve: dict[str, Any], colour: str, marker: str, aside: float, *, band: bool) -> None:
    points = curve["points"]
    records = np.array([point["records"] for point in points]) * aside
    values = np.array([point["error"]["value"] for point in points])
    ends = np.array([[point["error"]["low"], point["error"]["high"]] for point in points], np.float64)
    axes.vlines(records, ends[:, 0], ends[:, 1], color=colour, linewidth=1.2, alpha=0.75)
    for place, point in zip(records, points, strict=True):
        if len(point["runs"]) > 1:
            axes.plot([place] * len(point["runs"]), point["runs"], "_", color=colour, markersize=7)
    axes.plot(records, values, marker, color=colour, markersize=5.5, label=_legend(curve), linestyle="none")
    for part, style in ((False, "-"), (True, _DASHED)):
        drawn = [item for item in curve["drawn"] if item["extrapolated"] == part]
        if part:  # begins where the other part ends
            drawn = [item for item in curve["drawn"] if not item["extrapolated"]][-1:] + drawn
        if not drawn:
            continue
        sizes, law, low, high = (np.array([item[key] for item in drawn]) for key in ("records", "value", "low", "high"))
        axes.plot(sizes, law, color=colour, linewidth=1.5, linestyle=style)
        if band:
            axes.fill_between(sizes, low, high, color=colour, alpha=0.07 if part else 0.15, linewidth=0)


def _legend(curve: dict[str, Any]) -> str:
    law = curve["law"]
    name = plain(curve["label"], 40)
    if law is None:
        return f"{name}\nno fit"
    if not np.isfinite(law["alpha"]["value"]):
        return f"{name}\ndoes not fall"
    offset = f" + {law['offset']['value']:.3g}" if law["has_offset"] else ""
    return f"{name}\n{law['scale']['value']:.3g} N^-{law['alpha']['value']:.3g}{offset}"


def _ticks(axes: Axes, sizes: list[float], curves: list[dict[str, Any]]) -> None:
    """Ticks at the sizes themselves and, where laws are drawn further, at twice the largest again and again."""
    furthest = max([item["records"] for curve in curves for item in curve["drawn"]], default=sizes[-1])
    while 2 * sizes[-1] <= 1.001 * furthest:
        sizes = [*sizes, 2 * sizes[-1]]
    chosen: list[float] = []
    for size in sizes:
        if not chosen or size / chosen[-1] > 1.45:
            chosen.append(size)
    axes.xaxis.set_major_locator(FixedLocator(chosen))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(float(value))))


def _limits(curves: list[dict[str, Any]]) -> tuple[float, float]:
    """What the points need, and the drawn laws; a band that is wider than that is cut."""
    points = [point for curve in curves for point in curve["points"]]
    needed = [value for point in points for value in (*point["runs"], point["error"]["low"], point["error"]["high"])]
    needed += [item["value"] for curve in curves for item in curve["drawn"]]
    known = np.array([value for value in needed if np.isfinite(value)])
    margin = 0.06 * max(float(np.ptp(known)), 1e-3)
    return float(known.min()) - margin, float(known.max()) + margin
