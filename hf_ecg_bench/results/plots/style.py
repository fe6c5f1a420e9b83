"""What all plots share: colours, sizes, text of untrusted origin, and how a figure becomes SVG or PNG."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from hf_ecg_bench.texts import printable

# Colours that people with any common colour-vision deficiency tell apart (Okabe & Ito 2008), and greys.
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
INK, MUTED, RULE, GROUND = "#1f2328", "#656d76", "#d8dee4", "#ffffff"

# In a page these become CSS variables, so that one picture is right in light and in dark.
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    GROUND: "--ground",
    BLUE: "--blue",
    ORANGE: "--orange",
    GREEN: "--green",
}

PNG_DPI = 160


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches, laid out so that texts do not collide, on a transparent ground."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="none")


def dress(axes: Axes, *, size: float = 9, grid: str | None = None) -> None:
    """The common look: two spines, quiet ticks, no ground, optionally a grid along one axis."""
    axes.patch.set_alpha(0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
    axes.tick_params(colors=INK, labelsize=size, color=MUTED, length=3)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=INK, fontsize=size)
    if grid:
        axes.grid(axis=grid, color=RULE, linewidth=0.6)  # type: ignore[arg-type]
        axes.set_axisbelow(True)


def title(axes: Axes, text: str, *, note: str = "", size: float = 9) -> None:
    """A panel's title, left, with an optional quieter second line. Never read as mathematics."""
    axes.set_title(plain(text), loc="left", fontsize=size, color=INK, parse_math=False, pad=14 if note else 5)
    if note:
        axes.annotate(
            plain(note, 60),
            (0, 1),
            xytext=(0, 3),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=size - 1.5,
            color=MUTED,
            parse_math=False,
        )


def plain(text: str, width: int = 34) -> str:
    """Text for a figure: printable, on one line, shortened in the middle where it is too long."""
    text = printable(text, "\N{REPLACEMENT CHARACTER}")
    if len(text) <= width:
        return text
    keep = width - 1
    return text[: (keep + 1) // 2] + "…" + text[len(text) - keep // 2 :]


@dataclass(frozen=True)
class Panel:
    """One small panel, and whether it carries tick labels at its left and below."""

    axes: Axes
    left: bool
    below: bool


def small_multiples(
    count: int, size: tuple[float, float], *, columns: int, lower: float = 0.0
) -> tuple[Figure, list[Panel], list[Panel]]:
    """`count` equal panels, `columns` in a row, on as many rows as they need: the height grows with the rows.

    Positions are set in inches instead of by a layout engine, which takes seconds for a hundred panels.

    Args:
        size: width and height in inches of a panel's drawing area.
        lower: height in inches of a second drawing area below each panel; 0 for none.

    Returns:
        figure, panels, lower panels (empty without).
    """
    left, right, gap, top, bottom, title_room, between = 0.72, 0.12, 0.34, 0.08, 0.62, 0.5, 0.12
    columns = min(columns, count)
    rows = -(-count // columns)
    row_height = title_room + size[1] + (between + lower if lower else 0)
    width = left + columns * size[0] + (columns - 1) * gap + right
    height = top + rows * row_height + bottom
    figure = Figure(figsize=(width, height), facecolor="none")
    upper_panels, lower_panels = [], []
    for index in range(count):
        row, column = divmod(index, columns)
        x = left + column * (size[0] + gap)
        y = height - top - row * row_height - title_room - size[1]
        below = index + columns >= count
        axes = figure.add_axes((x / width, y / height, size[0] / width, size[1] / height))
        upper_panels.append(Panel(axes, column == 0, below and not lower))
        if lower:
            y -= between + lower
            axes = figure.add_axes((x / width, y / height, size[0] / width, lower / height))
            lower_panels.append(Panel(axes, column == 0, below))
    return figure, upper_panels, lower_panels


def label_sides(figure: Figure, below: str, left: str) -> None:
    """One common axis label below and one at the left of small multiples."""
    width, height = figure.get_size_inches()
    figure.text(0.5, 0.12 / height, below, ha="center", va="bottom", fontsize=9, color=INK)
    figure.text(0.1 / width, 0.5, left, ha="left", va="center", rotation=90, fontsize=9, color=INK)


def to_svg(figure: Figure, *, prefix: str) -> str:
    """The figure as an `<svg>` element for a page: themed by CSS variables, ids made unique by `prefix`."""
    svg = _render_svg(figure)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Only inside tags: a target called `id="x"` is text, where matplotlib has escaped the angle brackets.
    return re.sub(r"<[^>]+>", lambda match: _page_tag(match[0], prefix), svg)


def to_svg_file(figure: Figure) -> str:
    """The figure as the text of an SVG file of its own, on white, with its texts as text."""
    ground = figure.get_facecolor()
    figure.set_facecolor(GROUND)
    svg = _render_svg(figure)
    figure.set_facecolor(ground)
    return svg


def to_png(figure: Figure, dpi: int = PNG_DPI) -> bytes:
    """The figure as PNG; a transparent ground becomes white."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Names in scripts that the bundled font lacks are boxes in the PNG; in the page they are text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        transparent = to_rgba(figure.get_facecolor())[3] == 0
        figure.savefig(buffer, format="png", dpi=dpi, facecolor="white" if transparent else "auto")
    # The layout is the same at any resolution: worked out once.
    figure.set_layout_engine("none")
    return buffer.getvalue()


def _render_svg(figure: Figure) -> str:
    buffer = io.StringIO()
    # Text stays text (it can be searched and read aloud); a fixed salt makes the same figure the same bytes.
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "hf_ecg_bench", "path.simplify": True}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", facecolor="auto", metadata={"Date": None})
    figure.set_layout_engine("none")
    return buffer.getvalue()


def _page_tag(tag: str, prefix: str) -> str:
    tag = re.sub(r'\bid="', f'id="{prefix}-', tag)
    tag = re.sub(r'((?:xlink:)?href=")#', rf"\1#{prefix}-", tag).replace("url(#", f"url(#{prefix}-")
    tag = re.sub(r"(\d\.\d\d)\d+", r"\1", tag)
    for colour, variable in _VARIABLES.items():
        tag = tag.replace(colour, f"var({variable}, {colour})")
    return tag
