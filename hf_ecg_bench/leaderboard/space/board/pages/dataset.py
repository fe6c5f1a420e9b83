"""One dataset: facts, its tasks and who is best on them, which models have seen it."""

from __future__ import annotations

from ..address import Address
from ..board import Board
from ..formats import count, fixed, known
from ..markup import Safe, join, link, tag
from ..naming import (
    SEEN,
    category_name,
    entry_markup,
    entry_text,
    facts,
    model_link,
    paragraph,
    score_cell,
    task_link,
)
from ..page import Page, in_order, section, sorted_table
from ..snapshot import Dataset, Task
from ..table import Cell, Column, Table, shown
from ..text import short, spoken


def dataset_page(board: Board, address: Address) -> Page:
    """Everything about one dataset."""
    dataset = board.datasets[address["dataset"]]
    tables: list[Table] = []
    parts = [paragraph(dataset["description"]), _facts(dataset)]
    parts += _tasks(board, dataset, tables, address)
    parts += _seen(board, dataset, tables)
    return Page(short(dataset["title"] or dataset["id"]), join(parts), tuple(tables))


def _facts(dataset: Dataset) -> Safe:
    citation = short(dataset["citation"], 4000)
    rate = dataset["sampling_rate"]
    home = dataset["homepage"]
    return join(
        facts(
            [
                ("Id", tag("code", short(dataset["id"]))),
                ("Home page", link(short(home, 90), home) if home else ""),
                ("Licence", short(dataset["license"], 200)),
                ("Access", spoken(dataset["access"])),
                ("Records", count(dataset["records"]) if known(dataset["records"]) else ""),
                ("Patients", count(dataset["patients"]) if known(dataset["patients"]) else ""),
                ("Sampling rate", f"{count(rate)} Hz" if known(rate) else ""),
                ("Length", f"{fixed(dataset['seconds'], 1)} s" if known(dataset["seconds"]) else ""),
            ]
        ),
        tag("details", tag("summary", "Citation"), tag("pre", citation)) if citation else None,
    )


def _tasks(board: Board, dataset: Dataset, tables: list[Table], address: Address) -> list[Safe]:
    tasks = [task for task in board.tasks.values() if task["dataset"] == dataset["id"]]
    if not tasks:
        return [tag("p", "There is no task on this dataset.", class_="message")]
    columns = (
        Column("task", "Task"),
        Column("category", "Category"),
        Column("targets", "Targets", numeric=True, ascending=False),
        Column("n_test", "Test records", numeric=True, ascending=False),
        Column("entries", "Entries", numeric=True, ascending=False),
        Column("metric", "Metric"),
        Column("best", "Best value", numeric=True, ascending=False),
        Column("by", "of"),
    )
    rows = []
    for task in tasks:
        n, best = _best(board, task)
        rows.append(
            (
                Cell(short(task["name"]), html=task_link(board, task["id"])),
                Cell(category_name(board, task["category"])),
                Cell(count(task["n_targets"]), task["n_targets"]),
                Cell(count(task["n_test"]), task["n_test"]),
                Cell(str(n), n),
                Cell(spoken(task["metric"])),
                score_cell(board, best, task["id"]) if best is not None else Cell("–"),
                Cell(entry_text(board, board.entry(best)), html=entry_markup(board, board.entry(best)))
                if best is not None
                else Cell("–"),
            )
        )
    table = in_order(Table("tasks", f"Tasks on {short(dataset['title'])}", columns, tuple(rows)), address)
    tables.append(table)
    return [section("Tasks", sorted_table(table, board, address))]


def _best(board: Board, task: Task) -> tuple[int, int | None]:
    """How many entries have a result, and the one with the best value."""
    cells, there = board.index["cells"], []
    for (entry, task_id), at in board.cell.items():
        value = cells["value"][at]
        if task_id == task["id"] and value is not None and known(value):
            there.append((value, entry))
    if not there:
        return 0, None
    return len(there), (max(there) if task["higher_is_better"] else min(there))[1]


def _seen(board: Board, dataset: Dataset, tables: list[Table]) -> list[Safe]:
    columns = (Column("model", "Model"), Column("state", "Seen in pretraining"), Column("reason", "How it is known"))
    rows = []
    for model in board.models.values():
        for overlap in model["overlaps"]:
            if overlap.get("dataset") == dataset["id"]:
                state = short(overlap.get("state", "unknown"))
                rows.append(
                    (
                        Cell(short(model["title"] or model["id"]), html=model_link(board, model["id"])),
                        Cell(SEEN.get(state, state)),
                        Cell(short(overlap.get("reason", ""), 400)),
                    )
                )
    if not rows:
        return []
    table = Table("contamination", "What each model's pretraining has seen of it", columns, tuple(rows))
    tables.append(table)
    return [section("Contamination", shown(table, style="wrap"))]
