"""How a table is written: Markdown, LaTeX (booktabs), JSON. HTML is the templates' macro, which escapes."""

from __future__ import annotations

import re

from hf_ecg_bench.files import dumps_json
from hf_ecg_bench.results.tables import Cell, Table

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def escape_latex(text: str) -> str:
    """Text for LaTeX: every special character escaped, line breaks and control characters as spaces."""
    return "".join(_LATEX.get(char, char) if char.isprintable() else " " for char in text)


def escape_markdown(text: str) -> str:
    """Text for Markdown, also inside a table: no markup, no HTML, no line breaks."""
    text = "".join(char if char.isprintable() else " " for char in text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", text)


def to_markdown(table: Table) -> str:
    """A GitHub table; the best of a column in bold, doubtful numbers in italics."""

    def cell(cell: Cell) -> str:
        mark = "**" if cell.strong else "*" if cell.weak else ""
        text = escape_markdown(cell.text)
        return f"{mark}{text}{mark}" if text else ""

    lines = [
        _pipes([escape_markdown(column.title) for column in table.columns]),
        _pipes(["---:" if column.align == "right" else ":---" for column in table.columns]),
    ]
    return "\n".join(lines + [_pipes([cell(item) for item in row]) for row in table.rows])


def to_latex(table: Table) -> str:
    """A `table` environment with booktabs rules; needs `\\usepackage{booktabs}`."""

    def cell(cell: Cell) -> str:
        text = escape_latex(cell.text)
        command = r"\textbf" if cell.strong else r"\textit" if cell.weak else ""
        return f"{command}{{{text}}}" if command and text else text

    specification = "".join("r" if column.align == "right" else "l" for column in table.columns)
    label = re.sub(r"[^A-Za-z0-9-]+", "-", table.key)
    # `{}` before a row: LaTeX would read a cell that starts with `[` as an option of the line break above.
    body = [r"    {}" + " & ".join(cell(item) for item in row) + r" \\" for row in table.rows]
    head = r"    {}" + " & ".join(escape_latex(column.title) for column in table.columns) + r" \\"
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escape_latex(table.caption)}}}",
            rf"  \label{{tab:{label}}}",
            rf"  \begin{{tabular}}{{{specification}}}",
            r"    \toprule",
            head,
            r"    \midrule",
            *body,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def to_json(table: Table) -> str:
    """A list of objects, one a row, by column title."""
    return dumps_json(
        [{column.title: cell.text for column, cell in zip(table.columns, row, strict=True)} for row in table.rows]
    )


def _pipes(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
