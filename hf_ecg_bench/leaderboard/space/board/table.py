"""Tables: one description, shown as HTML and exported as CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .markup import Safe, join, link, tag


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        key: for the address and the export.
        title: of the header; `help`: what it means, for a pointer that rests on it.
        numeric: set to the right, and best is sorted first.
        ascending: the order that a first click on the header gives.
        shown: False for what is exported only.
        scale: drawn under the title, for a column of drawings.
    """

    key: str
    title: str
    help: str = ""
    numeric: bool = False
    ascending: bool = True
    sortable: bool = True
    shown: bool = True
    scale: Safe | None = None


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: as exported to LaTeX, and shown where there is no `html`.
        value: to sort by and as exported to CSV; the text where it is None.
        html: as shown.
    """

    text: str = ""
    value: float | str | None = None
    html: Safe | None = None
    style: str = ""


@dataclass(frozen=True)
class Table:
    """The first shown column names the row."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    styles: tuple[str, ...] = ()

    def position(self, key: str) -> int | None:
        """Of a column; None where there is none of this name."""
        return next((i for i, column in enumerate(self.columns) if column.key == key), None)


def arranged(table: Table, key: str, order: str) -> Table:
    """Sorted by a column, what is unknown last; as it is where the key is no column of this table."""
    at = table.position(key)
    if at is None or not table.columns[at].sortable:
        return table
    down = order == "down" or (not order and not table.columns[at].ascending)
    numbers = list(range(len(table.rows)))

    def known(i: int) -> bool:
        cell = table.rows[i][at]
        return cell.value is not None or (bool(cell.text) and not table.columns[at].numeric)

    def by(i: int) -> tuple[int, float, str]:
        value = table.rows[i][at].value
        return (
            (0, value, "") if isinstance(value, int | float) else (1, 0.0, str(value or table.rows[i][at].text).lower())
        )

    ranked = sorted(filter(known, numbers), key=by, reverse=down) + [i for i in numbers if not known(i)]
    styles = tuple(table.styles[i] for i in ranked) if table.styles else ()
    return replace(table, rows=tuple(table.rows[i] for i in ranked), styles=styles)


def shown(
    table: Table,
    *,
    sort: str = "",
    order: str = "",
    sort_link: Callable[[str, str], str] | None = None,
    first: int | None = None,
    all_link: str = "",
    style: str = "",
) -> Safe:
    """The table as HTML, in a frame that scrolls sideways.

    Args:
        sort, order: how it is sorted now (for the headers; see `arranged`).
        sort_link: (key, order) -> address of the same view sorted so; None where the order is fixed.
        first: that many rows, and a link to the rest.
    """
    visible = [i for i, column in enumerate(table.columns) if column.shown]
    header = tag("tr", [_header(table, i, sort, order, sort_link) for i in visible])
    rows = table.rows if first is None else table.rows[:first]
    body = []
    for number, row in enumerate(rows):
        cells = [
            tag(
                "td" if i != visible[0] else "th",
                row[i].html if row[i].html is not None else row[i].text,
                scope="row" if i == visible[0] else None,
                class_=" ".join(filter(None, ("n" if table.columns[i].numeric else "", row[i].style))) or None,
            )
            for i in visible
        ]
        body.append(tag("tr", cells, class_=(table.styles[number] or None) if table.styles else None))
    left = len(table.rows) - len(rows)
    more = tag("p", link(f"Show all {len(table.rows)} rows", all_link, class_="more"), class_="more") if left else None
    return join(
        tag(
            "div",
            tag("table", tag("caption", table.caption), tag("thead", header), tag("tbody", body), id=f"t-{table.name}"),
            class_=f"frame {style}".strip(),
            role="region",
            aria_label=table.caption,
            tabindex="0",
        ),
        more,
    )


def _header(table: Table, i: int, sort: str, order: str, sort_link: Callable[[str, str], str] | None) -> Safe:
    column = table.columns[i]
    classes = "n" if column.numeric else None
    if sort_link is None or not column.sortable:
        return tag("th", column.title, column.scale, scope="col", class_=classes, title=column.help or None)
    now = (order or ("up" if column.ascending else "down")) if sort == column.key else ""
    turned = {"up": "down", "down": "up"}.get(now, "up" if column.ascending else "down")
    arrow = tag("span", {"up": "▲", "down": "▼"}.get(now, "↕"), class_="arrow", aria_hidden="true")
    text = link([column.title, arrow], sort_link(column.key, turned), id=f"s-{table.name}-{column.key}")
    spoken = {"up": "ascending", "down": "descending"}.get(now)
    return tag("th", text, scope="col", class_=classes, aria_sort=spoken, title=column.help or None)
