"""LaTeX that compiles: nothing but ASCII, every special character escaped, tables that fit a page."""

from __future__ import annotations

import re
import string

import pytest

from hf_ecg_bench.results.latex import escape_latex, to_latex
from hf_ecg_bench.results.table_formats import to_csv
from hf_ecg_bench.results.tables import Cell, Column, Table


def environments_of(text: str) -> int:
    """How many tables stand in `text`; fails where braces, environments or columns do not fit."""
    bare = re.sub(r"\\[\\{}%&$#_\"'`^~]", "", text)
    depth = 0
    for char in bare:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
    assert text.isascii()
    assert not re.search(r"(?<!\\)[%#]", text)
    tables = re.findall(r"\\begin\{table\}(.*?)\\end\{table\}", text, flags=re.DOTALL)
    for table in tables:
        (columns,) = re.findall(r"\\begin\{tabular\}\{(.*)\}$", table, flags=re.MULTILINE)
        columns = columns.replace("p{4.5cm}", "p")
        assert set(columns) <= set("lrp")
        assert len(columns) <= 14
        rows = [line for line in table.splitlines() if line.endswith(r"\\")]
        assert all(len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1 for row in rows)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == len(tables)
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert len(set(labels)) == len(labels)
    return len(tables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("50 % & $x_1^2$ #~", r"50 \% \& \$x\_1\textasciicircum{}2\$ \#\textasciitilde{}"),
        ("Müller, Šimon, façade, Łódź", r"M\"{u}ller, \v{S}imon, fa\c{c}ade, [U+0141]\'{o}d\'{z}"),
        ("0.9†‡ ≈ −1", r"0.9\textdagger{}\textdaggerdbl{} $\approx$ $-$1"),
        ("心\u202eX\x00\n", "[U+5FC3] X  "),
        ('a|b "c" <d>', r"a\textbar{}b ''c'' \textless{}d\textgreater{}"),
    ],
)
def test_every_character_is_one_that_pdflatex_knows(text: str, expected: str) -> None:
    assert escape_latex(text) == expected


def test_any_text_leaves_the_table_whole() -> None:
    nasty = (
        string.printable,
        "".join(map(chr, range(0x20, 0x3000, 7))),
        "\\",
        "{",
        "}",
        "[x]",
        "a\\\\b",
        "%",
        "$$",
        "\\end",
    )
    rows = tuple((Cell(text), Cell(text, strong=True), Cell(text, weak=True), Cell(text, tied=True)) for text in nasty)
    table = Table("k_e%y", nasty[0], tuple(Column(text) for text in nasty[:4]), rows)
    assert environments_of(to_latex(table)) == 1


def test_wide_and_long_tables_are_cut_to_pages() -> None:
    columns = (Column("Model"), Column("Mode"), *(Column(f"T{i}", "right") for i in range(15)))
    rows = tuple((Cell(f"m{row}"), Cell("linear"), *(Cell(f"{row}.{i}") for i in range(15))) for row in range(50))
    text = to_latex(Table("values", "All", columns, rows))
    assert environments_of(text) == 6  # 15 columns in threes of 7, 50 rows in twos of 42
    assert "All (1 of 6)" in text
    assert text.count("m0 & linear & ") == 3
    assert all(text.count(f" {row}.{i} ") == 1 for row in (0, 49) for i in (0, 7, 14))


def test_marks() -> None:
    table = Table(
        "k", "c", (Column("a"),), ((Cell("1", strong=True),), (Cell("2", tied=True),), (Cell("3", weak=True),))
    )
    text = to_latex(table)
    assert all(piece in text for piece in (r"\textbf{1}", r"\underline{2}", r"\textit{3}"))


def test_csv_cannot_be_run_by_a_spreadsheet() -> None:
    texts = ("=1+1", "+cmd|x", "@SUM(A1)", "-2+3", "-0.012 [-0.02, +0.01]", "-0.5", 'a,"b"\nc')
    table = Table("k", "c", (Column("=x"),), tuple((Cell(text),) for text in texts))
    lines = to_csv(table).splitlines()
    assert lines == [
        "'=x",
        "'=1+1",
        "'+cmd|x",
        "'@SUM(A1)",
        "'-2+3",
        '"-0.012 [-0.02, +0.01]"',
        "-0.5",
        '"a,""b"" c"',
    ]
