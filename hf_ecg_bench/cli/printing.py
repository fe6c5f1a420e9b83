"""Tables for people and JSON for machines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from hf_ecg_bench.files import dumps_json

_WIDTH = 110


def print_json(value: Any) -> None:
    """Print standard JSON on stdout."""
    print(dumps_json(value))


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print an aligned table on stdout; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(header)]
    numeric = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        parts = [c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True)]
        return "  ".join(parts).rstrip()

    print(line(list(header)))
    print("  ".join("-" * width for width in widths))
    for row in cells:
        print(line(row))


def field(name: str, text: object) -> Iterator[str]:
    """Lines of `  name          text`, wrapped under the text."""
    head = f"  {name:<14}" if len(name) < 14 else f"  {name} "
    indent = " " * 16
    wrapped = textwrap.wrap(
        str(text), _WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )
    yield from wrapped or [head.rstrip()]


def interval(estimate: dict[str, Any], digits: int = 4) -> str:
    """`0.9312 [0.9100, 0.9500]`, or `undefined`."""

    def known(key: str) -> bool:
        value = estimate.get(key)
        return value is not None and value == value

    if not known("value"):
        return "undefined"
    text = f"{estimate['value']:.{digits}f}"
    if known("low") and known("high"):
        text += f" [{estimate['low']:.{digits}f}, {estimate['high']:.{digits}f}]"
    return text
