"""What all plots share: colours, sizes, text of untrusted origin, and how a figure becomes SVG or PNG."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Colours that the three common colour-vision deficiencies tell apart (Okabe & Ito 2008), and greys of one ramp.
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
INK, MUTED, RULE = "#1f2328", "#656d76", "#d8dee4"

# In a page these become CSS variables, so that one picture is right in light and in dark.
_VARIABLES = {INK: "--ink", MUTED: "--muted", RULE: "--rule", BLUE: "--blue", ORANGE: "--orange", GREEN: "--green"}

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


def legend(axes: Axes, **options: object) -> None:
    """A legend without a frame, in the common text colour."""
    box = axes.legend(frameon=False, fontsize=8, **options)  # type: ignore[arg-type]
    for text in box.get_texts():
        text.set(color=INK, parse_math=False)


def plain(text: str, width: int = 34) -> str:
    """Text for a figure: printable, on one line, shortened in the middle where it is too long."""
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    if len(text) <= width:
        return text
    keep = width - 1
    return text[: (keep + 1) // 2] + "…" + text[len(text) - keep // 2 :]


def numbered(count: int, panel: tuple[float, float], columns: int) -> tuple[Figure, Sequence[Axes]]:
    """`count` panels of that size in inches on as many rows as they need; height grows with the number of rows."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = new_figure(panel[0] * columns, panel[1] * rows)
    return figure, [figure.add_subplot(rows, columns, index + 1) for index in range(count)]


def to_svg(figure: Figure, *, prefix: str) -> str:
    """The figure as an `<svg>` element for a page: themed by CSS variables, ids made unique by `prefix`."""
    svg = _render_svg(figure)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Only inside tags: a target called `id="x"` is text, where matplotlib has escaped the angle brackets.
    return re.sub(r"<[^>]+>", lambda match: _page_tag(match[0], prefix), svg)


def to_png(figure: Figure, dpi: int = PNG_DPI) -> bytes:
    """The figure as PNG; a transparent ground becomes white."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Names in scripts that the bundled font lacks show as boxes in the PNG; the page's own SVG has them as text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        transparent = figure.get_facecolor()[3] == 0
        figure.savefig(buffer, format="png", dpi=dpi, facecolor="white" if transparent else "auto")
    return buffer.getvalue()


def _render_svg(figure: Figure) -> str:
    buffer = io.StringIO()
    # Text stays text (it can be searched and read aloud); a fixed salt makes the same figure the same bytes.
    settings = {"svg.fonttype": "none", "svg.hashsalt": "hf_ecg_bench", "path.simplify": True}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", facecolor="auto", metadata={"Date": None})
    return buffer.getvalue()


def _page_tag(tag: str, prefix: str) -> str:
    tag = re.sub(r'\bid="', f'id="{prefix}-', tag)
    tag = re.sub(r'((?:xlink:)?href=")#', rf"\1#{prefix}-", tag).replace("url(#", f"url(#{prefix}-")
    tag = re.sub(r"(\d\.\d\d)\d+", r"\1", tag)
    for colour, variable in _VARIABLES.items():
        tag = tag.replace(colour, f"var({variable}, {colour})")
    return tag
