"""Tables as LaTeX that pastes into a paper: booktabs rules, every text escaped, nothing that pdflatex does not know."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from hf_ecg_bench.results.tables import Cell, Table

# A page holds so many columns of numbers beside the first ones, and so many rows; larger tables are cut.
_MOST_COLUMNS, _MOST_ROWS = 7, 42
_LONG_TEXT = 45

_SPECIAL = {
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
    "|": r"\textbar{}",
    '"': "''",  # the quote that every encoding of fonts has
    "\N{DAGGER}": r"\textdagger{}",
    "\N{DOUBLE DAGGER}": r"\textdaggerdbl{}",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{MINUS SIGN}": r"$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MIDDLE DOT}": r"\textperiodcentered{}",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{DEGREE SIGN}": r"\textdegree{}",
    "\N{MICRO SIGN}": r"$\mu$",
    "\N{GREEK SMALL LETTER MU}": r"$\mu$",
    "\N{LATIN SMALL LETTER SHARP S}": r"\ss{}",
    "\N{LATIN SMALL LETTER AE}": r"\ae{}",
    "\N{LATIN SMALL LETTER O WITH STROKE}": r"\o{}",
    "\N{NO-BREAK SPACE}": "~",
}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": r"\`",
    "\N{COMBINING ACUTE ACCENT}": r"\'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": r"\^",
    "\N{COMBINING TILDE}": r"\~",
    "\N{COMBINING DIAERESIS}": r"\"",
    "\N{COMBINING CARON}": r"\v",
    "\N{COMBINING CEDILLA}": r"\c",
    "\N{COMBINING RING ABOVE}": r"\r",
}


def escape_latex(text: str) -> str:
    """Text for LaTeX: special characters escaped, line breaks and control characters as spaces.

    Accented letters become commands, and letters that pdflatex's fonts lack become their code point in brackets:
    pdflatex stops at a character that it does not know.
    """
    return "".join(_character(char) for char in text)


def to_latex(table: Table) -> str:
    """`table` environments with booktabs rules, several where it is too wide or too long for a page.

    Needs `\\usepackage{booktabs}`. The best of a column is bold, what does not differ from it is underlined.
    """
    parts = list(_parts(table))
    return "\n\n".join(_environment(part, number, len(parts)) for number, part in enumerate(parts, start=1))


def _environment(table: Table, number: int, of: int) -> str:
    def cell(cell: Cell) -> str:
        text = escape_latex(cell.text)
        command = r"\textbf" if cell.strong else r"\underline" if cell.tied else r"\textit" if cell.weak else ""
        return f"{command}{{{text}}}" if command and text else text

    specification = "".join(_column(table, index) for index in range(len(table.columns)))
    label = re.sub(r"[^A-Za-z0-9-]+", "-", table.key) + (f"-{number}" if number > 1 else "")
    caption = escape_latex(table.caption) + (f" ({number} of {of})" if of > 1 else "")
    # `{}` before a row: LaTeX would read a cell that starts with `[` as an option of the line break above.
    body = [r"    {}" + " & ".join(cell(item) for item in row) + r" \\" for row in table.rows]
    head = r"    {}" + " & ".join(escape_latex(column.title) for column in table.columns) + r" \\"
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            *([r"  \footnotesize", r"  \setlength{\tabcolsep}{3pt}"] if len(table.columns) > 5 else []),
            rf"  \caption{{{caption}}}",
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


def _column(table: Table, index: int) -> str:
    """`l` or `r`; text that is too long for a line gets a width, and breaks."""
    if table.columns[index].align == "right":
        return "r"
    return "p{4.5cm}" if any(len(row[index].text) > _LONG_TEXT for row in table.rows) else "l"


def _parts(table: Table) -> Iterator[Table]:
    """The table in pieces that fit a page; the columns of text at its left are repeated."""
    kept = next((i for i, column in enumerate(table.columns) if column.align == "right"), len(table.columns))
    spans = [(kept, len(table.columns))]
    if len(table.columns) - kept > _MOST_COLUMNS:
        spans = [(first, first + _MOST_COLUMNS) for first in range(kept, len(table.columns), _MOST_COLUMNS)]
    for first, last in spans:
        for row in range(0, max(len(table.rows), 1), _MOST_ROWS):
            columns = (*table.columns[:kept], *table.columns[first:last])
            rows = tuple((*cells[:kept], *cells[first:last]) for cells in table.rows[row : row + _MOST_ROWS])
            yield Table(table.key, table.caption, columns, rows)


def _character(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if not char.isprintable():
        return " "
    if char.isascii():
        return char
    base, *marks = list(unicodedata.normalize("NFKD", char))
    if base.isascii() and base.isalnum() and all(mark in _ACCENTS or unicodedata.combining(mark) for mark in marks):
        accent = next((_ACCENTS[mark] for mark in marks if mark in _ACCENTS), "")
        return f"{accent}{{{base}}}" if accent else base
    return f"[U+{ord(char):04X}]"
