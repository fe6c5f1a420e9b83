"""Tables as CSV and LaTeX, fit for the programs that open them."""

from __future__ import annotations

import csv
import io
import math
import re

from .table import Cell, Column, Table
from .text import clean

#: A spreadsheet takes a text that begins with one of these for a formula and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
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
    "−": "$-$",
    "–": "--",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "†": r"\dag{}",
    "…": r"\dots{}",
    "±": r"$\pm$",
    "\n": " ",
    "\t": " ",
    "�": "?",
}


def harmless(text: str) -> str:
    """A text that no spreadsheet runs: an apostrophe before what would be a formula."""
    text = clean(text)
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text


def to_csv(table: Table) -> str:
    """All columns with full precision; numbers that are not known are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(column.key) for column in table.columns])
    for row in table.rows:
        writer.writerow([_plain(cell, column) for cell, column in zip(row, table.columns, strict=True)])
    return out.getvalue()


def to_latex(table: Table) -> str:
    """A booktabs table of the columns that are shown."""
    visible = [i for i, column in enumerate(table.columns) if column.shown and column.title]
    layout = "".join("r" if table.columns[i].numeric else "l" for i in visible)
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{layout}}}",
        r"\toprule",
        " & ".join(latex(table.columns[i].title) for i in visible) + r" \\",
        r"\midrule",
        *(" & ".join(latex(row[i].text) for i in visible) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def latex(text: str) -> str:
    """Every character that LaTeX would act on, written out."""
    return "".join(_LATEX.get(c, c) for c in clean(text))


def file_name(page: str, table: str, ending: str) -> str:
    """Of a download."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", f"ecg-bench-{page}-{table}")[:80].strip("-") + f".{ending}"


def _plain(cell: Cell, column: Column) -> str | float:
    if isinstance(cell.value, int | float):
        return cell.value if math.isfinite(cell.value) else ""
    if column.numeric:
        return ""
    return harmless(cell.value if cell.value is not None else cell.text)
