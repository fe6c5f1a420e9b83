"""Texts of strangers on one line: what results, folders and errors say may hold what a terminal or a page obeys."""

from __future__ import annotations


def printable(text: str, instead: str = " ") -> str:
    """The text with `instead` for each control, format or unassigned character, line breaks among them."""
    return "".join(char if char.isprintable() else instead for char in text)
