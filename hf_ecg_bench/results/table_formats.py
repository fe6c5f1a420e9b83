"""How a table is written: Markdown, CSV, JSON. LaTeX is `results.latex`, HTML the templates' macro, which escapes."""

from __future__ import annotations

import csv
import io
import re

from hf_ecg_bench.files import dumps_json
from hf_ecg_bench.results.tables import Cell, Table
from hf_ecg_bench.texts import printable

_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?[\d.,]+( \[[\d., +-]+\])?")


def escape_markdown(text: str) -> str:
    """Text for Markdown, also inside a table: no markup, no HTML, no line breaks."""
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", text)


def to_markdown(table: Table) -> str:
    """A GitHub table; best of a column in bold, with ≈ what does not differ from it, doubtful numbers in italics."""

    def cell(cell: Cell) -> str:
        mark = "**" if cell.strong else "*" if cell.weak else ""
        text = escape_markdown(cell.text)
        return f"{mark}{text}{mark}{' ≈' if cell.tied else ''}" if text else ""

    lines = [
        _pipes([escape_markdown(column.title) for column in table.columns]),
        _pipes(["---:" if column.align == "right" else ":---" for column in table.columns]),
    ]
    return "\n".join(lines + [_pipes([cell(item) for item in row]) for row in table.rows])


def to_csv(table: Table) -> str:
    """RFC 4180 with the texts as shown, without the marks of bold and italics.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([harmless(column.title) for column in table.columns])
    writer.writerows([[harmless(cell.text) for cell in row] for row in table.rows])
    return buffer.getvalue()


def to_json(table: Table) -> str:
    """A list of objects, one a row, by column title."""
    return dumps_json(
        [{column.title: cell.text for column, cell in zip(table.columns, row, strict=True)} for row in table.rows]
    )


def _pipes(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def harmless(text: str) -> str:
    """Text for a cell of a CSV file, which a spreadsheet takes for text and not for a formula."""
    text = printable(text)
    return f"'{text}" if text.lstrip()[:1] in _FORMULA and not _NUMBER.fullmatch(text) else text
