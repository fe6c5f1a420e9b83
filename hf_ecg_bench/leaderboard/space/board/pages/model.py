"""One model: its card, categories, scores, curves, what its pretraining has seen."""

from __future__ import annotations

import re

from ..address import Address, changed
from ..board import Board
from ..costs import COSTS
from ..curves import Line, curves
from ..formats import amount, count, fixed, known
from ..markup import Safe, join, link, tag
from ..naming import SEEN, category_name, entry_text, facts, paragraph, score_cell, task_link
from ..page import Page, in_order, note, section, sorted_table
from ..radar import radar
from ..snapshot import ALL_MODES, Entry, Model, Standing
from ..svg import N_SERIES, key
from ..table import Cell, Column, Table, shown
from ..text import short, spoken

FIRST_CURVES = 6


def model_page(board: Board, address: Address) -> Page:
    """Everything about one model."""
    model = board.models[address["model"]]
    numbers = [i for i, entry in enumerate(board.index["entries"]) if entry["model"] == model["id"]]
    tables: list[Table] = []
    parts = [_card(model)]
    parts += _categories(board, numbers, tables)
    parts += _scores(board, numbers, tables, address)
    parts += _scaling(board, numbers, tables, address)
    parts += _cost(board, numbers, tables)
    parts += _overlaps(board, model, tables)
    return Page(short(model["title"] or model["id"]), join(parts), tuple(tables))


def _card(model: Model) -> Safe:
    citation = short(model["citation"], 4000)
    return join(
        facts(
            [
                ("Id", tag("code", short(model["id"]))),
                ("Paper", _address(model["paper"])),
                ("Weights", _hub(model["hub_id"])),
                ("Licence of the weights", short(model["license_weights"], 200)),
                ("Licence of the code", short(model["license_code"], 200)),
                ("Parameters", amount(model["parameters"]) if known(model["parameters"]) else ""),
                ("Input", _input(model)),
                ("Pretrained on", ", ".join(short(name, 80) for name in model["pretraining"][:40])),
            ]
        ),
        tag("details", tag("summary", "Citation"), tag("pre", citation)) if citation else None,
    )


def _hub(name: str) -> Safe | str:
    """A link for what can be a repository; other texts as they are."""
    if re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", name, re.ASCII):
        return link(name, f"https://huggingface.co/{name}")
    return short(name)


def _address(text: str) -> Safe:
    return link(short(text, 90), text) if text.startswith(("https://", "http://")) else join(short(text, 200))


def _input(model: Model) -> str:
    if not known(model["sampling_rate"]) or not known(model["window_seconds"]):
        return ""
    return f"{fixed(model['window_seconds'], 1)} s at {count(model['sampling_rate'])} Hz"


def _standings(board: Board, numbers: list[int]) -> tuple[list[Standing], int]:
    """Of the view of all entries that has most of the model's, and how many entries it ranks."""
    best: tuple[list[Standing], int] = ([], 0)
    for source in ("both", "ours", "published"):
        view = board.view(f"{source}-{ALL_MODES}-keep")
        mine = [s for s in view["standings"] if s["entry"] in numbers] if view else []
        if view and len(mine) > len(best[0]):
            best = mine, len(view["standings"])
    return best


def _categories(board: Board, numbers: list[int], tables: list[Table]) -> list[Safe]:
    standings, n = _standings(board, numbers)
    there = {category for standing in standings for category in standing["category_rank"]}
    ids = [c["id"] for c in board.index["categories"] if c.get("id") in there]
    if not ids:
        return []
    series = [(_mode(board, s["entry"]), [s["category_rank"].get(c) for c in ids]) for s in standings][:N_SERIES]
    columns = (
        Column("category", "Category"),
        *(
            Column(f"e{i}", _mode(board, s["entry"]), "Mean rank; 1 is best", numeric=True)
            for i, s in enumerate(standings)
        ),
    )
    rows = tuple(
        (
            Cell(category_name(board, c)),
            *(Cell(fixed(s["category_rank"].get(c), 1), s["category_rank"].get(c)) for s in standings),
        )
        for c in ids
    )
    table = Table("categories", f"Mean rank among {n} entries; 1 is best", columns, rows)
    tables.append(table)
    axes = [category_name(board, c) for c in ids]
    picture = radar("Mean rank by category", axes, series, 1.0, float(max(n, 2))) if len(ids) > 2 else None
    if picture is None:
        return [section("Categories", shown(table))]
    names, edges = key([name for name, _ in series]), note(f"Outer edge: rank 1; middle: rank {n}.")
    return [
        section("Categories", names, tag("div", tag("div", picture, edges), tag("div", shown(table)), class_="side"))
    ]


def _mode(board: Board, entry: int) -> str:
    """An entry's name without its model's."""
    return entry_text(board, board.entry(entry)).split(", ", 1)[-1]


def _scores(board: Board, numbers: list[int], tables: list[Table], address: Address) -> list[Safe]:
    tasks = [t for t in board.tasks.values() if any((e, t["id"]) in board.cell for e in numbers)]
    if not tasks:
        return [tag("p", "This model has no result yet.", class_="message", role="status")]
    columns = (
        Column("task", "Task"),
        Column("category", "Category"),
        Column("metric", "Metric"),
        *(Column(f"e{i}", _mode(board, e), numeric=True, ascending=False) for i, e in enumerate(numbers)),
    )
    rows = tuple(
        (
            Cell(short(task["name"]), html=task_link(board, task["id"])),
            Cell(category_name(board, task["category"])),
            Cell(spoken(task["metric"]) + ("" if task["higher_is_better"] else ", lower is better")),
            *(score_cell(board, e, task["id"]) for e in numbers),
        )
        for task in tasks
    )
    table = in_order(Table("tasks", "Score on each task, with its 95 % interval", columns, rows), address)
    tables.append(table)
    return [section("Tasks", sorted_table(table, board, address))]


def _scaling(board: Board, numbers: list[int], tables: list[Table], address: Address) -> list[Safe]:
    by_task = [
        (task, [c for c in of_task if c["entry"] in numbers and c["records"]])
        for task, of_task in board.scaling.items()
        if task in board.tasks
    ]
    by_task = [(task, mine) for task, mine in by_task if mine]
    if not by_task:
        return []
    used = sorted({c["entry"] for _, mine in by_task for c in mine})
    shape = {entry: i for i, entry in enumerate(used)}
    pictures, rows = [], []
    for task, mine in by_task:
        name = short(board.tasks[task]["name"])
        lines = [
            Line(shape[c["entry"]], list(zip(c["records"], c["value"], c["low"], c["high"], strict=True))) for c in mine
        ]
        picture = curves(f"{name}: {spoken(board.tasks[task]['metric'])} over training records", lines)
        if picture:
            pictures.append(tag("figure", tag("figcaption", task_link(board, task)), picture))
        rows += [
            (
                Cell(name),
                Cell(entry_text(board, board.entry(c["entry"]))),
                Cell(fixed(f, 3), f),
                Cell(count(r), r),
                Cell(fixed(v), v),
                Cell(fixed(low), low),
                Cell(fixed(high), high),
            )
            for c in mine
            for f, r, v, low, high in zip(c["fraction"], c["records"], c["value"], c["low"], c["high"], strict=True)
        ]
    columns = (
        Column("task", "Task"),
        Column("entry", "Entry"),
        *(
            Column(k, title, numeric=True)
            for k, title in (
                ("fraction", "Fraction"),
                ("records", "Records"),
                ("value", "Score"),
                ("low", "Low"),
                ("high", "High"),
            )
        ),
    )
    table = Table("scaling", "Scores over the number of training records", columns, tuple(rows))
    tables.append(table)
    all_of_them = address["rows"] == "all"
    names = [_mode(board, e) for e in used]
    return [
        section(
            "Scaling",
            key(names),
            tag("div", pictures if all_of_them else pictures[:FIRST_CURVES], class_="figures"),
            None if all_of_them or len(pictures) <= FIRST_CURVES else _more(board, address, len(pictures)),
            tag("details", tag("summary", "The numbers of these curves"), shown(table)),
        )
    ]


def _more(board: Board, address: Address, n: int) -> Safe:
    return tag("p", link(f"Show all {n} curves", changed(address, board, rows="all")), class_="more")


def _cost(board: Board, numbers: list[int], tables: list[Table]) -> list[Safe]:
    columns = (Column("entry", "Entry"), *(Column(k, title, numeric=True) for k, title, _ in COSTS))
    rows = tuple(_cost_row(board, board.entry(e)) for e in numbers)
    rows = tuple(row for row in rows if any(cell.value is not None for cell in row[1:]))
    if not rows:
        return []
    table = Table("cost", "Cost of each way to adapt it, averaged over tasks", columns, rows)
    tables.append(table)
    return [section("Cost", shown(table))]


def _cost_row(board: Board, entry: Entry) -> tuple[Cell, ...]:
    return (
        Cell(entry_text(board, entry)),
        *(Cell(text(entry[k]), entry[k]) for k, _, text in COSTS),  # type: ignore[literal-required]
    )


def _overlaps(board: Board, model: Model, tables: list[Table]) -> list[Safe]:
    columns = (
        Column("dataset", "Dataset"),
        Column("state", "Seen in pretraining"),
        Column("reason", "How it is known"),
    )
    rows = []
    for overlap in model["overlaps"]:
        dataset, state = overlap.get("dataset", ""), overlap.get("state", "unknown")
        title = board.datasets[dataset]["title"] if dataset in board.datasets else dataset
        rows.append(
            (Cell(short(title)), Cell(short(SEEN.get(state, state))), Cell(short(overlap.get("reason", ""), 400)))
        )
    if not rows:
        text = "Nothing is declared about the overlap of this model's pretraining with the datasets."
        return [section("Contamination", paragraph(text))]
    table = Table("contamination", "What the pretraining has seen of each dataset", columns, tuple(rows))
    tables.append(table)
    return [
        section(
            "Contamination", shown(table, style="wrap"), note("Cells of datasets with T or C are marked in all tables.")
        )
    ]
