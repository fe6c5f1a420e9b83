"""Parts of drawings: scales, marks, whiskers. Colour is never alone: series differ in shape and dash as well."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .formats import known
from .markup import Child, Safe, tag
from .snapshot import Number

N_SERIES = 6


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` onto `start` to `end` points; `log` by powers of ten."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        share = (at - low) / (high - low) if high > low else 0.5
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)


def extent(values: Sequence[Number], around: float = 0.05) -> tuple[float, float]:
    """From the lowest to the highest known value with a little room; 0 to 1 where none is known."""
    there = [v for v in values if v is not None and known(v)]
    if not there:
        return 0.0, 1.0
    low, high = min(there), max(there)
    room = (high - low) * around or abs(high) * around or 1.0
    return low - room, high + room


def ticks(low: float, high: float, n: int = 4) -> list[float]:
    """Round numbers between the ends, about n."""
    if not high > low:
        return [low]
    raw = (high - low) / n
    step = 10.0 ** math.floor(math.log10(raw))
    step *= next((m for m in (1, 2, 2.5, 5, 10) if m * step >= raw), 10)
    first = math.ceil(low / step)
    return [round(i * step, 12) for i in range(first, first + n + 3) if i * step <= high + step * 1e-9]


def drawing(width: float, height: float, title: str, description: str, *children: Child, style: str = "") -> Safe:
    """A picture with a name and a description; the numbers are in a table beside it."""
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=f"{title}. {description}",
        class_=f"figure {style}".strip(),
        preserveAspectRatio="xMidYMid meet",
        style=f"max-width:{width:g}px",
    )


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> Safe:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=style)


def words(x: float, y: float, text: str, anchor: str = "middle", style: str = "tick") -> Safe:
    """Text at a point."""
    return tag("text", text, x=round(x, 1), y=round(y, 1), text_anchor=anchor, class_=style)


def mark(x: float, y: float, series: int, size: float = 4.5) -> Safe:
    """The shape of a series: circle, square, triangle, diamond, cross, ring."""
    style, r = f"mark s{series % N_SERIES}", size
    match series % N_SERIES:
        case 0:
            return tag("circle", cx=x, cy=y, r=r, class_=style)
        case 1:
            return tag("rect", x=x - r, y=y - r, width=2 * r, height=2 * r, class_=style)
        case 2:
            return tag("path", d=f"M{x},{y - r * 1.2}L{x + r * 1.15},{y + r}L{x - r * 1.15},{y + r}Z", class_=style)
        case 3:
            return tag(
                "path", d=f"M{x},{y - r * 1.3}L{x + r * 1.3},{y}L{x},{y + r * 1.3}L{x - r * 1.3},{y}Z", class_=style
            )
        case 4:
            return tag(
                "path", d=f"M{x - r},{y - r}L{x + r},{y + r}M{x - r},{y + r}L{x + r},{y - r}", class_=f"{style} open"
            )
        case _:
            return tag("circle", cx=x, cy=y, r=r, class_=f"{style} open")


def key(names: Sequence[str]) -> Safe:
    """What the shapes mean, as HTML above a drawing."""
    items = [
        tag(
            "li",
            tag(
                "svg",
                line(0, 7, 26, 7, f"curve s{i % N_SERIES}"),
                mark(13, 7, i),
                width=26,
                height=14,
                viewBox="0 0 26 14",
                aria_hidden="true",
            ),
            name,
        )
        for i, name in enumerate(names)
    ]
    return tag("ul", items, class_="key")


#: Width and height of a whisker in a table's cell.
WHISKER = (140, 18)


def whisker(
    value: Number, low: Number, high: Number, span: tuple[float, float], *, zero: float | None = None, series: int = 0
) -> Safe | None:
    """A point and its interval, to stand in a table beside the same numbers; None where there is no point."""
    if value is None or not known(value):
        return None
    width, height = WHISKER
    at, middle = Scale(*span, 6, width - 6), height / 2
    parts = [line(6, middle, width - 6, middle, "rail")]
    if zero is not None and span[0] <= zero <= span[1]:
        parts.append(line(at(zero), 0, at(zero), height, "zero"))
    if low is not None and high is not None and known(low) and known(high):
        parts += [line(at(low), middle, at(high), middle, f"interval s{series % N_SERIES}")]
        parts += [
            line(at(end), middle - 4, at(end), middle + 4, f"interval s{series % N_SERIES}") for end in (low, high)
        ]
    parts.append(mark(at(value), middle, series, 4))
    return tag(
        "svg", parts, width=width, height=height, viewBox=f"0 0 {width} {height}", aria_hidden="true", class_="whisker"
    )


def axis(span: tuple[float, float]) -> Safe:
    """The scale of a column of whiskers."""
    width = WHISKER[0]
    at = Scale(*span, 6, width - 6)
    parts = []
    for value in ticks(*span, 4):
        parts += [line(at(value), 14, at(value), 18, "rail"), words(at(value), 11, f"{value:g}".replace("-", "−"))]
    return tag("svg", parts, width=width, height=18, viewBox=f"0 0 {width} 18", aria_hidden="true", class_="whisker")
