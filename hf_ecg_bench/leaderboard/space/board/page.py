"""What a page is: a heading, its markup, and the tables that can be exported."""

from __future__ import annotations

from dataclasses import dataclass

from .address import Address, changed
from .board import Board
from .markup import Child, Safe, tag
from .table import Table, arranged, shown


@dataclass(frozen=True)
class Page:
    """`title` is the heading and, with the board's name, the title of the window."""

    title: str
    body: Safe
    tables: tuple[Table, ...] = ()


def sorted_table(table: Table, board: Board, address: Address, *, first: int | None = None, style: str = "") -> Safe:
    """A table whose headers sort it, in the order the address says."""
    return shown(
        table,
        sort=address["sort"],
        order=address["order"],
        sort_link=lambda key, order: changed(address, board, sort=key, order=order),
        first=None if "rows" in address.values and address["rows"] == "all" else first,
        all_link=changed(address, board, rows="all") if "rows" in address.values else "",
        style=style,
    )


def in_order(table: Table, address: Address) -> Table:
    """As the address says."""
    return arranged(table, address["sort"], address["order"])


def section(title: str, *children: Child) -> Safe:
    """A heading of the second level and what belongs to it."""
    return tag("section", tag("h2", title), children)


def note(*children: Child) -> Safe:
    """A remark in small letters."""
    return tag("p", children, class_="note")
