"""Two entries, task by task."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ..address import Address, href
from ..board import Board
from ..formats import amount, between, known, probability, signed
from ..markup import Safe, join, link, tag
from ..naming import category_name, entry_text, facts, score_cell, task_link
from ..page import Page, in_order, note, section, sorted_table
from ..snapshot import Number, PairRow
from ..svg import axis, extent, whisker
from ..table import Cell, Column, Table
from ..text import short


class Difference(NamedTuple):
    """First minus second, as the metric counts; low, high and p are None where nothing could be tested."""

    value: Number
    low: Number
    high: Number
    p: Number


def compare(board: Board, address: Address) -> Page:
    """Paired differences, and who is ahead on how many tasks."""
    keys = address["a"], address["b"]
    if any(key not in board.entries for key in keys):
        return Page("Compare two", tag("p", "There are fewer than two entries to compare.", class_="message"))
    a, b = (board.entries[key] for key in keys)
    names = [entry_text(board, board.entry(i)) for i in (a, b)]
    differences = _differences(board, a, b)
    if not differences:
        text = f"{names[0]} and {names[1]} have no task in common."
        return Page("Compare two", tag("p", text, class_="message", role="status"))
    table = in_order(_table(board, a, b, names, differences), address)
    body = join(
        _summary(board, a, b, names, differences),
        section(
            "Tasks",
            sorted_table(table, board, address),
            note(
                "Differences are turned so that right of the line and positive is always good for the first. With both "
                "predictions at hand they are paired on the same resampled patients, with 95 % intervals, and p "
                "adjusted by Holm over all pairs of the task; otherwise the difference of the values is shown "
                "without a test."
            ),
            tag("p", link("Exchange the two", href("compare", a=keys[1], b=keys[0])), class_="more"),
        ),
    )
    return Page(f"{names[0]} against {names[1]}", body, (table,))


@lru_cache(maxsize=64)
def _differences(board: Board, a: int, b: int) -> dict[str, Difference]:
    """By task; good for the first is positive."""
    found = {}
    rows = board.pair_rows(a)
    cells = board.index["cells"]
    for task in board.tasks.values():
        ats = [board.cell.get((entry, task["id"])) for entry in (a, b)]
        if ats[0] is None or ats[1] is None:
            continue
        one, two = cells["value"][ats[0]], cells["value"][ats[1]]
        if one is None or two is None or not known(one) or not known(two):
            continue
        turn = 1.0 if task["higher_is_better"] else -1.0
        found[task["id"]] = _paired(board, task["id"], a, b, turn, rows) or Difference(
            turn * (one - two), None, None, None
        )
    return found


def _paired(board: Board, task: str, a: int, b: int, turn: float, rows: dict[str, PairRow] | None) -> Difference | None:
    """As stored; out of the entry's own file where the snapshot has one, else out of the task's."""
    if any(board.entry(entry)["origin"] == "published" for entry in (a, b)):
        return None
    if rows is not None:
        row = rows.get(task)
        if row is None or b not in row["others"]:
            return None
        j = row["others"].index(b)
        value, low, high, p = row["difference"][j], row["low"][j], row["high"][j], row["p_adjusted"][j]
    else:
        page = board.task_page(task)
        if page is None or a not in page["pairs"]["entries"] or b not in page["pairs"]["entries"]:
            return None
        pairs = page["pairs"]
        i, j = pairs["entries"].index(a), pairs["entries"].index(b)
        value, low, high, p = (pairs[k][i][j] for k in ("difference", "low", "high", "p_adjusted"))
    if value is None or low is None or high is None:
        return None
    ends = sorted((turn * low, turn * high))
    return Difference(turn * value, ends[0], ends[1], p)


def _sure(difference: Difference) -> bool:
    return difference.p is not None and known(difference.p) and difference.p < 0.05


def _summary(board: Board, a: int, b: int, names: list[str], differences: dict[str, Difference]) -> Safe:
    sure = [d.value or 0.0 for d in differences.values() if _sure(d)]
    tested = sum(d.p is not None for d in differences.values())
    ahead = [
        sum((d.value or 0) > 0 for d in differences.values()),
        sum((d.value or 0) < 0 for d in differences.values()),
    ]
    sizes = [amount(board.entry(i)["parameters"]) for i in (a, b)]
    return facts(
        [
            ("Tasks in common", str(len(differences))),
            (f"Higher value: {names[0]}", str(ahead[0])),
            (f"Higher value: {names[1]}", str(ahead[1])),
            ("Tested in pairs", str(tested)),
            (f"Significantly better: {names[0]}", str(sum(v > 0 for v in sure)) if tested else ""),
            (f"Significantly better: {names[1]}", str(sum(v < 0 for v in sure)) if tested else ""),
            ("Not told apart", str(tested - len(sure)) if tested else ""),
            ("Parameters", " against ".join(sizes)),
        ]
    )


def _table(board: Board, a: int, b: int, names: list[str], differences: dict[str, Difference]) -> Table:
    span = extent([v for d in differences.values() for v in (d.value, d.low, d.high)] + [0.0])
    reach = max(abs(span[0]), abs(span[1]))
    columns = (
        Column("task", "Task"),
        Column("category", "Category"),
        Column("a", names[0], numeric=True, ascending=False),
        Column("b", names[1], numeric=True, ascending=False),
        Column("difference", "Difference", "Positive is good for the first", numeric=True, ascending=False),
        Column("low", "Low", numeric=True, shown=False),
        Column("high", "High", numeric=True, shown=False),
        Column(
            "forest", "← second | first →", "Which of the two is better", sortable=False, scale=axis((-reach, reach))
        ),
        Column("p", "Adjusted p", numeric=True),
        Column("verdict", "Ahead"),
    )
    rows = []
    for task, d in differences.items():
        series = 0 if d.p is not None else 5
        said = between(d.low, d.high)
        verdict = ("first" if (d.value or 0) > 0 else "second") if _sure(d) else "not told apart"
        verdict = verdict if d.p is not None else "not tested"
        sign = {"first": "▲ first", "second": "▼ second"}.get(verdict, verdict)
        rows.append(
            (
                Cell(short(board.tasks[task]["name"]), html=task_link(board, task)),
                Cell(category_name(board, board.tasks[task]["category"])),
                score_cell(board, a, task, interval=False),
                score_cell(board, b, task, interval=False),
                Cell(signed(d.value), d.value, join(tag("b", signed(d.value)), tag("span", said, class_="ci"))),
                Cell(signed(d.low), d.low),
                Cell(signed(d.high), d.high),
                Cell(said, html=whisker(d.value, d.low, d.high, (-reach, reach), zero=0.0, series=series)),
                Cell(probability(d.p), d.p),
                Cell(verdict, verdict, join(sign), {"first": "ahead", "second": "behind"}.get(verdict, "")),
            )
        )  # fmt: skip
    return Table("compare", f"{names[0]} minus {names[1]}", columns, tuple(rows))
