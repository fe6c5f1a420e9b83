"""A 12-lead ECG on paper, at scale: 25 mm/s, 10 mm/mV, a fine grid of 1 mm and a strong one of 5 mm.

Layout as clinics print it: 3 rows of 4 leads, each column a quarter of the time, and below them lead II as
rhythm strip.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

MM_PER_SECOND = 25.0
MM_PER_MV = 10.0
MM_PER_INCH = 25.4
MAX_SECONDS = 10.0

# Canonical lead order of a record's columns; rows of the printout by index into it.
LEAD_NAMES = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ROWS = ((0, 3, 6, 9), (1, 4, 7, 10), (2, 5, 8, 11))
RHYTHM = 1

LEFT = 10.0  # room for the calibration pulse
RIGHT = 5.0
TOP = 20.0  # centre of the first row below the upper edge
ROW_HEIGHT = 30.0
BOTTOM = 20.0  # lower edge below the centre of the rhythm strip

PAPER, FINE, STRONG, TRACE = "#fffafa", "#f7d4d4", "#eaa0a0", "#111111"


def paper_size(seconds: float) -> tuple[float, float]:
    """Width and height in mm of the sheet for a record of that length: whole squares of 5 mm."""
    width = LEFT + MM_PER_SECOND * min(seconds, MAX_SECONDS) + RIGHT
    return 5 * float(np.ceil(width / 5 - 1e-9)), TOP + len(ROWS) * ROW_HEIGHT + BOTTOM


def plot_ecg(signal: NDArray[np.floating], sampling_rate: float, *, unit: str = "mV", caption: str = "") -> Figure:
    """The first ten seconds of a record on a sheet whose size in inches is its size on paper.

    Args:
        signal: (time, 12) in mV, canonical lead order. Each strip is shifted so that its median lies on its
            line. NaN samples are gaps.
        sampling_rate: Hz.
        unit: what 10 mm and the calibration pulse are one of; `mV` wherever the dataset has physical units.
        caption: text in the lower right corner.
    """
    signal = np.asarray(signal)[: round(MAX_SECONDS * sampling_rate)]
    width, height = paper_size(len(signal) / sampling_rate)
    figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), facecolor=PAPER)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    _grid(axes, width, height, 1.0, FINE, 0.25)
    _grid(axes, width, height, 5.0, STRONG, 0.55)

    column = len(signal) // len(ROWS[0])
    for row, leads in enumerate(ROWS):
        middle = height - TOP - row * ROW_HEIGHT
        _calibration(axes, middle)
        for position, lead in enumerate(leads):
            start = position * column
            _strip(axes, signal[start : start + column, lead], start, middle, sampling_rate, LEAD_NAMES[lead])
            if position:
                x = LEFT + MM_PER_SECOND * start / sampling_rate
                axes.plot([x, x], [middle - 4, middle + 4], color=TRACE, linewidth=0.5)
    middle = height - TOP - len(ROWS) * ROW_HEIGHT
    _calibration(axes, middle)
    _strip(axes, signal[:, RHYTHM], 0, middle, sampling_rate, LEAD_NAMES[RHYTHM])
    scale = f"{MM_PER_SECOND:g} mm/s · {MM_PER_MV:g} mm/{unit} · {sampling_rate:g} Hz"
    for x, align, text in ((LEFT, "left", scale), (width - RIGHT, "right", caption)):
        axes.text(x, 2.4, text, ha=align, va="baseline", fontsize=7.5, color=TRACE, parse_math=False)
    return figure


def _strip(
    axes: Axes, values: NDArray[np.floating], start: int, middle: float, sampling_rate: float, name: str
) -> None:
    finite = np.isfinite(values)
    baseline = float(np.median(values[finite])) if finite.any() else 0.0
    x = LEFT + MM_PER_SECOND * (start + np.arange(len(values))) / sampling_rate
    axes.plot(
        x,
        middle + MM_PER_MV * (values - baseline),
        color=TRACE,
        linewidth=0.75,
        solid_joinstyle="round",
        clip_on=True,
    )
    axes.text(x[0] + 1.5 if len(x) else LEFT, middle + 11.0, name, fontsize=8.5, fontweight="bold", color=TRACE)


def _calibration(axes: Axes, middle: float) -> None:
    """1 mV for 200 ms: 10 mm high, 5 mm wide."""
    x = np.array([2.0, 3.0, 3.0, 8.0, 8.0, 9.0])
    y = middle + np.array([0.0, 0.0, MM_PER_MV, MM_PER_MV, 0.0, 0.0])
    axes.plot(x, y, color=TRACE, linewidth=0.75, solid_joinstyle="miter")


def _grid(axes: Axes, width: float, height: float, step: float, colour: str, linewidth: float) -> None:
    """All lines of one grid as one path: a sheet has nearly four hundred of them."""
    points = np.array(list(_grid_points(width, height, step)))
    axes.plot(points[:, 0], points[:, 1], color=colour, linewidth=linewidth, solid_capstyle="butt")


def _grid_points(width: float, height: float, step: float) -> Iterator[tuple[float, float]]:
    for x in np.arange(0.0, width + step / 2, step):
        yield from ((x, 0.0), (x, height), (np.nan, np.nan))
    for y in np.arange(0.0, height + step / 2, step):
        yield from ((0.0, y), (width, y), (np.nan, np.nan))
