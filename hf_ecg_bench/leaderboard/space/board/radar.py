"""A model's ranks over the categories, as a radar."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .formats import fixed, known
from .markup import Safe, tag
from .snapshot import Number
from .svg import N_SERIES, drawing, line, mark, words

_WIDTH, _HEIGHT, _RADIUS = 720.0, 320.0, 130.0


def radar(
    title: str, axes: Sequence[str], series: Sequence[tuple[str, Sequence[Number]]], best: float, worst: float
) -> Safe:
    """One closed line for each series; `best` lies outside, `worst` in the middle.

    Args:
        axes: at least three names.
        series: (name, value on each axis).
    """
    x0, y0, n = _WIDTH / 2, _HEIGHT / 2, len(axes)

    def point(i: int, share: float) -> tuple[float, float]:
        angle = 2 * math.pi * i / n - math.pi / 2
        return round(x0 + share * _RADIUS * math.cos(angle), 1), round(y0 + share * _RADIUS * math.sin(angle), 1)

    def share(value: float) -> float:
        return min(max((worst - value) / (worst - best), 0.0), 1.0) if worst != best else 1.0

    parts = []
    for ring in (0.25, 0.5, 0.75, 1.0):
        corners = " ".join(f"{x},{y}" for x, y in (point(i, ring) for i in range(n)))
        parts.append(tag("polygon", points=corners, class_="ring"))
        if ring < 1:
            parts.append(words(x0 + 4, y0 - ring * _RADIUS - 2, fixed(worst - ring * (worst - best), 0), "start"))
    for i, name in enumerate(axes):
        parts.append(line(x0, y0, *point(i, 1.0), "ring"))
        x, y = point(i, 1.1)
        anchor = "middle" if abs(x - x0) < 12 else "start" if x > x0 else "end"
        parts.append(words(x, y + 4, name, anchor, "axis"))
    for number, (_, values) in enumerate(series):
        corners_known = [point(i, share(v)) for i, v in enumerate(values) if v is not None and known(v)]
        if len(corners_known) > 2:
            text = " ".join(f"{x},{y}" for x, y in corners_known)
            parts.append(tag("polygon", points=text, class_=f"area s{number % N_SERIES}"))
        parts += [mark(x, y, number) for x, y in corners_known]
    edges = f"The outer edge is {fixed(best, 0)}, the middle {fixed(worst, 0)}."
    described = f"{len(series)} lines over {n} categories; further out is better. {edges} The numbers are in a table."
    return drawing(_WIDTH, _HEIGHT, title, described, parts)
