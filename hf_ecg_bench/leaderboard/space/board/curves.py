"""Scores over the number of training records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .formats import amount, fixed, known
from .markup import Safe, tag
from .snapshot import Number
from .svg import N_SERIES, Scale, drawing, extent, line, mark, ticks, words

_WIDTH, _HEIGHT = 380.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 12.0, 34.0


@dataclass(frozen=True)
class Line:
    """A series of points (records, value, low, high) with the number of its shape."""

    series: int
    points: Sequence[tuple[Number, Number, Number, Number]]


def curves(title: str, lines: Sequence[Line]) -> Safe | None:
    """Axes and lines; records by powers of ten. None where no point is known."""
    known_points = [p for one in lines for p in one.points if known(p[0]) and known(p[1]) and (p[0] or 0) > 0]
    if not known_points:
        return None
    records = [float(p[0] or 1) for p in known_points]
    low, high = extent([v for p in known_points for v in p[1:]])
    x = Scale(min(records) * 0.85, max(records) * 1.15, _LEFT, _WIDTH - _RIGHT, log=True)
    y = Scale(low, high, _HEIGHT - _BOTTOM, _TOP)
    parts = []
    for value in ticks(low, high):
        parts += [line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), "grid")]
        parts.append(words(_LEFT - 6, y(value) + 4, fixed(value, 2 if high - low > 0.03 else 3), "end"))
    shown_at: list[float] = []
    for value in sorted(set(records)):
        if all(abs(x(value) - other) > 34 for other in shown_at):
            shown_at.append(x(value))
            parts.append(line(x(value), _HEIGHT - _BOTTOM, x(value), _HEIGHT - _BOTTOM + 4, "rail"))
            parts.append(words(x(value), _HEIGHT - _BOTTOM + 16, amount(value)))
    parts.append(words((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 3, "training records"))
    for one in lines:
        style = f"s{one.series % N_SERIES}"
        at = sorted(
            ((x(p[0]), y(p[1]), p) for p in one.points if p[0] and p[0] > 0 and p[1] is not None and known(p[1])),
            key=lambda point: point[0],
        )
        for px, _, (_, _, p_low, p_high) in at:
            if p_low is not None and p_high is not None and known(p_low) and known(p_high):
                parts.append(line(px, y(p_low), px, y(p_high), f"interval thin {style}"))
        if len(at) > 1:
            parts.append(tag("polyline", points=" ".join(f"{px},{py}" for px, py, _ in at), class_=f"curve {style}"))
        parts += [mark(px, py, one.series, 3.5) for px, py, _ in at]
    return drawing(
        _WIDTH, _HEIGHT, title, f"{len(lines)} curves. The numbers are in the table below.", parts, style="small"
    )
