"""What pages are written with: markup, texts, numbers, scales, CSV and LaTeX."""

from __future__ import annotations

import csv
import io

from hf_ecg_bench.leaderboard.space.board.board import Board
from hf_ecg_bench.leaderboard.space.board.export import harmless, latex, to_csv, to_latex
from hf_ecg_bench.leaderboard.space.board.formats import amount, duration, fixed, probability
from hf_ecg_bench.leaderboard.space.board.markup import Safe, escaped, link, tag
from hf_ecg_bench.leaderboard.space.board.svg import Scale, extent, ticks
from hf_ecg_bench.leaderboard.space.board.table import Cell, Column, Table
from hf_ecg_bench.leaderboard.space.board.text import clean, short
from hf_ecg_bench.leaderboard.space.board.views import exported


def test_csv_has_full_precision_and_says_no_formula(board: Board) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(board, "modes=all", "csv")[1])))
    view = board.view("ours-all-keep")
    assert [float(row["mean_rank"]) for row in rows] == [s["mean_rank"] for s in view["standings"]]
    assert {"group", "mode", "origin", "rank_low", "rank_high"} <= set(rows[0])
    assert harmless("=cmd|'/C calc'!A1") == "'=cmd|'/C calc'!A1"
    assert harmless("  +1") == "'  +1"
    assert harmless("ECG-FM") == "ECG-FM"
    table = Table(
        "t", "T", (Column("a", "A"), Column("b", "B", numeric=True)), ((Cell("-x", "-x"), Cell("−1.0", -1.0)),)
    )
    assert to_csv(table) == "a,b\r\n'-x,-1.0\r\n"


def test_latex_writes_out_what_it_would_act_on() -> None:
    assert latex("50% of $x_1$ & #2 {a} ~^\\") == (
        r"50\% of \$x\_1\$ \& \#2 \{a\} \textasciitilde{}\textasciicircum{}\textbackslash{}"
    )
    table = Table("t", "A_b", (Column("a", "A"), Column("b", "B", shown=False)), ((Cell("x&y"), Cell("hidden")),))
    text = to_latex(table)
    assert r"\caption{A\_b}" in text
    assert r"x\&y \\" in text
    assert "hidden" not in text


def test_numbers_are_short_and_unknown_ones_are_dashes() -> None:
    assert [amount(v) for v in (3.89e6, 999_600, 12, 0, None, float("nan"), 1.5e15)] == [
        "3.89 M", "1.00 M", "12", "0", "–", "–", "1.50 P",
    ]  # fmt: skip
    assert [duration(v) for v in (3.0, 600, 20_000, None)] == ["3 s", "10.0 min", "5.6 h", "–"]
    assert fixed(-0.1234) == "−0.123"
    assert probability(0.0001) == "< 0.001"
    assert fixed(float("inf")) == "–"


def test_scales_and_ticks() -> None:
    at = Scale(0, 10, 0, 100)
    assert (at(5), at(-5), at(50)) == (50, 0, 100)
    assert Scale(1, 100, 0, 100, log=True)(10) == 50
    assert Scale(1, 1, 0, 100)(1) == 50
    assert ticks(0, 10) == [0, 2.5, 5, 7.5, 10]
    assert ticks(3, 3) == [3]
    assert extent([None, float("nan")]) == (0.0, 1.0)
    low, high = extent([0.5])
    assert low < 0.5 < high


def test_markup_escapes_texts_and_drops_foreign_addresses() -> None:
    assert tag("p", "<b>", title='"x"') == '<p title="&quot;x&quot;">&lt;b&gt;</p>'.replace("'", "")
    assert tag("p", Safe("<b>x</b>"), None, ["a", 1]) == "<p><b>x</b>a1</p>"
    for bad in (
        "javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "//evil",
        "https://a b",
        "JaVaScRiPt:x",
    ):
        assert "href" not in link("x", bad)
        assert "href" not in tag("a", "x", href=bad)
    assert 'href="https://a.b/?x=1&amp;y=2"' in link("x", "https://a.b/?x=1&y=2")
    assert 'rel="noopener noreferrer"' in link("x", "https://a.b")
    assert escaped("${a}`{{b}}") == "&#36;&#123;a&#125;&#96;&#123;&#123;b&#125;&#125;"


def test_texts_of_strangers_are_cleaned() -> None:
    assert clean("a\u202eb\u200bc\x07") == "a�b�c�"
    assert clean("Größe µV 心電図") == "Größe µV 心電図"
    assert short("x" * 100) == "x" * 59 + "…"
    assert short("a\n  b\tc") == "a b c"
