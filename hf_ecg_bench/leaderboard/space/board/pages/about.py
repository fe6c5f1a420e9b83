"""Protocol, definitions, and what is known against published rows."""

from __future__ import annotations

from ..address import Address
from ..board import Board
from ..markup import Safe, join, tag
from ..naming import facts, paragraph
from ..page import Page, in_order, section, sorted_table
from ..table import Cell, Column, Table, shown
from ..text import short, spoken

_TERMS = (
    ("Entry", "A model adapted in one way: model, weights, mode, preprocessing, protocol. Seeds are averaged."),
    ("Tied group", "Entries that are not told apart from the best of their group. Groups do not chain: each member is "
     "compared with the best of the group, not with its neighbour."),
    ("Mean rank", "Mean over tasks of the rank of its value among the entries with a result on that task."),
    ("Win rate", "Share of the comparisons with one other entry on one task that are won; ties count half."),
    ("Skill", "1 − geometric mean over tasks of error / error of the baseline: 0 is the baseline, 1 is without error."),
    ("Interval", "95 %: of a score over resampled patients; of a mean rank over resampled patients and the tasks of "
     "each dataset. Over datasets: whole datasets are drawn, which says what others might have said."),
    ("T, C", "Contaminated cell: the pretraining has seen the test records (T), or other records of the corpus (C). "
     "Keep shows and ranks them, hide leaves them out, impute puts the mean of the clean entries in their place."),
    ("†", "A published row with something against it: see the audit. "
     "What holds for more than a quarter of them is told only there."),
    ("Missing", "A task without a result stays missing; nothing is filled in."),
)  # fmt: skip


def about(board: Board, address: Address) -> Page:
    """Texts of the snapshot, terms, audit."""
    index = board.index
    tables: list[Table] = []
    parts = [
        section(spoken(name).capitalize(), paragraph(text)) for name, text in index["about"].items() if text.strip()
    ]
    parts.append(
        section("Terms", tag("dl", [[tag("dt", term), tag("dd", meaning)] for term, meaning in _TERMS], class_="terms"))
    )
    parts.append(tag("div", _audit(board, tables, address), id="audit"))
    if index["unreadable"]:
        columns = (Column("name", "Result"), Column("reason", "Why, or what to know"))
        rows = tuple(
            (Cell(short(u.get("name", ""))), Cell(short(u.get("reason", ""), 300))) for u in index["unreadable"]
        )
        table = Table("unreadable", f"{len(rows)} results that are not shown, and notes on what is", columns, rows)
        tables.append(table)
        parts.append(section("Left out, and notes", shown(table, style="wrap")))
    parts.append(
        section(
            "Data",
            facts(
                [
                    ("Written", short(index["created"])),
                    ("By", short(index["program"])),
                    ("Rows", str(index["n_rows"])),
                    ("Entries", str(len(index["entries"]))),
                    ("Cells", str(len(index["cells"]["value"]))),
                ]
            ),
        )
    )
    return Page("About", join(parts), tuple(tables))


def _audit(board: Board, tables: list[Table], address: Address) -> Safe:
    notes = board.index["audit"]
    if not notes:
        return section("Audit of the published rows", tag("p", "No audit notes in this snapshot."))
    columns = (
        Column("title", "What"),
        Column("rows", "Rows", numeric=True, ascending=False),
        Column("evidence", "Evidence", sortable=False),
        Column("source", "Source"),
        Column("id", "Note"),
    )
    rows = tuple(
        (
            Cell(short(n["title"], 200)),
            Cell(str(n["rows"]), n["rows"]),
            Cell(short(n["evidence"], 1500), style="wide"),
            Cell(short(n["source"], 200)),
            Cell(short(n["id"])),
        )
        for n in notes
    )
    table = in_order(
        Table("audit", "Rows of the published table that should not be trusted, and why", columns, rows), address
    )
    tables.append(table)
    return section("Audit of the published rows", sorted_table(table, board, address, style="wrap"))
