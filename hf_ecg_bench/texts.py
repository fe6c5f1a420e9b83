"""Texts on one line: of strangers, which may hold what a terminal or a page obeys, and counted things."""

from __future__ import annotations


def printable(text: str, instead: str = " ") -> str:
    """The text with `instead` for each control, format or unassigned character, line breaks among them."""
    return "".join(char if char.isprintable() else instead for char in text)


def plural(number: int, one: str, many: str = "") -> str:
    """`1 run`, `2,000 runs`; `many` where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
