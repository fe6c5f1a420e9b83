"""One task: all entries with intervals, every label, all pairs."""

from __future__ import annotations

from collections.abc import Sequence

from ..address import Address, href
from ..board import Board
from ..formats import UNKNOWN, between, count, fixed, known, probability, signed
from ..markup import Safe, join, link, tag
from ..naming import category_name, cell_signs, entry_markup, entry_text, facts
from ..page import Page, in_order, note, section, sorted_table
from ..snapshot import ALL_MODES, Pairs, Target, Task, TaskPage
from ..svg import axis, extent, whisker
from ..table import Cell, Column, Table, shown
from ..text import short, spoken

FIRST, FIRST_LABELS, MATRIX, LABEL_ENTRIES = 25, 20, 15, 8


def task_page(board: Board, address: Address) -> Page:
    """Forest plot, labels, pairs."""
    task = board.tasks[address["task"]]
    order = _entries(board, task, address["modes"])
    page = board.task_page(task["id"])
    forest = in_order(_forest(board, task, order), address)
    tables, parts = [forest], [_facts(board, task)]
    if not order:
        parts.append(tag("p", "No entry has a result on this task yet.", class_="message", role="status"))
    else:
        parts.append(
            section(
                "Scores",
                sorted_table(forest, board, address, first=FIRST),
                note(
                    "Lines are 95 % intervals over resampled patients. A ring is a published row. ", _resampling(page)
                ),
            )
        )
    if page is not None and page["pairs"]["entries"]:
        at = {entry: i for i, entry in enumerate(page["pairs"]["entries"])}
        chosen = [entry for entry in order if entry in at]
        scored = [at[e] for e in chosen if any(known(target["value"][at[e]]) for target in page["targets"])]
        parts += _labels(board, task, page, scored[:LABEL_ENTRIES], tables, address)
        tested = [e for e in chosen if _tested(page["pairs"], at[e])][:MATRIX]
        parts += _matrix(board, task, page["pairs"], [at[e] for e in tested], tables)
    elif order:
        parts.append(note("Nothing was compared in pairs on this task: no stored predictions."))
    return Page(short(task["name"] or task["id"]), join(parts), tuple(tables))


def _entries(board: Board, task: Task, modes: str) -> list[int]:
    """Entries with a result, best first."""
    cells = board.index["cells"]
    there = []
    for (entry, task_id), at in board.cell.items():
        value = cells["value"][at]
        if task_id == task["id"] and value is not None and known(value):
            if modes not in (ALL_MODES, board.entry(entry)["mode"]):
                continue
            there.append((-value if task["higher_is_better"] else value, entry))
    return [entry for _, entry in sorted(there)]


def _facts(board: Board, task: Task) -> Safe:
    direction = "higher is better" if task["higher_is_better"] else "lower is better"
    dataset: Safe | str = short(task["dataset"])
    if task["dataset"] in board.datasets:
        dataset = link(
            short(board.datasets[task["dataset"]]["title"] or task["dataset"]), href("dataset", dataset=task["dataset"])
        )
    return facts(
        [
            ("Dataset", dataset),
            ("Category", category_name(board, task["category"])),
            ("Metric", f"{spoken(task['metric'])} ({direction})"),
            ("Targets", count(task["n_targets"]) if known(task["n_targets"]) else ""),
            ("Test records", count(task["n_test"]) if known(task["n_test"]) else ""),
            ("Trained as", short(task["trained_as"]) if task["trained_as"] != task["id"] else ""),
        ]
    )


def _resampling(page: TaskPage | None) -> str:
    return short(page["resampling"], 1500) if page else ""


def _forest(board: Board, task: Task, order: Sequence[int]) -> Table:
    cells = board.index["cells"]
    ats = {entry: board.cell[entry, task["id"]] for entry in order}
    span = extent([cells[k][at] for at in ats.values() for k in ("value", "low", "high")], 0.03)
    columns = (
        Column("entry", "Model"),
        Column("mode", "Mode", shown=False),
        Column("origin", "Origin", shown=False),
        Column("rank", "Rank", "Tied entries share a rank; in brackets its interval", numeric=True),
        Column("value", spoken(task["metric"]), numeric=True, ascending=not task["higher_is_better"]),
        Column("low", "Low", numeric=True, shown=False),
        Column("high", "High", numeric=True, shown=False),
        Column("forest", "95 % interval", sortable=False, scale=axis(span)),
        Column("seed_sd", "SD over seeds", "Not part of the interval", numeric=True),
        Column("n_seeds", "Seeds", numeric=True),
        Column("records", "Training records", numeric=True),
        Column("contamination", "Contamination"),
    )
    rows = []
    for entry, at in ats.items():
        who = board.entry(entry)
        value, low, high = cells["value"][at], cells["low"][at], cells["high"][at]
        rank, state = cells["rank"][at], cells["contamination"][at]
        ranks = between(cells["rank_low"][at], cells["rank_high"][at], 0)
        said, series = between(low, high), 5 if who["origin"] == "published" else 0
        shown_value = join(tag("b", fixed(value)), cell_signs(board, at), tag("span", said, class_="ci"))
        rows.append(
            (
                Cell(short(board.title(who["model"])), html=entry_markup(board, who)),
                Cell(spoken(who["mode"])),
                Cell(who["origin"]),
                Cell(fixed(rank, 0), rank, join(fixed(rank, 0), tag("span", ranks, class_="ci") if ranks else None)),
                Cell(fixed(value), value, shown_value),
                Cell(fixed(low), low),
                Cell(fixed(high), high),
                Cell(said, html=whisker(value, low, high, span, series=series) or Safe("")),
                Cell(fixed(cells["seed_sd"][at], 4), cells["seed_sd"][at]),
                Cell(str(cells["n_seeds"][at]), cells["n_seeds"][at]),
                Cell(count(cells["records_train"][at]), cells["records_train"][at]),
                Cell(spoken(state), state, tag("span", spoken(state), title=short(cells["reason"][at], 300) or None)),
            )
        )  # fmt: skip
    caption = f"{short(task['name'] or task['id'])}: {len(order)} entries, best first"
    return Table("scores", caption, columns, tuple(rows))


def _labels(
    board: Board, task: Task, page: TaskPage, positions: Sequence[int], tables: list[Table], address: Address
) -> list[Safe]:
    targets = page["targets"]
    if not targets or not positions:
        return []
    names = [entry_text(board, board.entry(page["pairs"]["entries"][i])) for i in positions]
    columns = (
        Column("target", "Label"),
        Column("metric", "Metric"),
        Column("n_positive", "Positive", numeric=True, ascending=False),
        Column("n", "Records", numeric=True, ascending=False),
        *(
            Column(f"e{i}", name, "Value and 95 % interval", numeric=True, ascending=False)
            for i, name in enumerate(names)
        ),
    )
    rows = tuple(
        (
            Cell(short(target["name"])),
            Cell(spoken(target["metric"])),
            Cell(count(target["n_positive"]), target["n_positive"]),
            Cell(count(target["n"]), target["n"]),
            *(_target_cell(target, i) for i in positions),
        )
        for target in targets
    )
    table = in_order(
        Table("labels", f"Each label of {short(task['name'])}, {len(names)} best entries", columns, rows), address
    )
    tables.append(table)
    left = page.get("targets_left_out", 0)
    rest = f" {left} rarer labels are left out here." if left else ""
    return [
        section(
            "Labels",
            sorted_table(table, board, address, first=FIRST_LABELS),
            note(f"The best {len(names)} entries of the table above that have values for each label.{rest}"),
        )
    ]


def _target_cell(target: Target, i: int) -> Cell:
    value, said = target["value"][i], between(target["low"][i], target["high"][i])
    return Cell(fixed(value), value, join(fixed(value), tag("span", said, class_="ci") if said else None))


def _tested(pairs: Pairs, i: int) -> bool:
    return any(p is not None for p in pairs["p_adjusted"][i])


def _matrix(board: Board, task: Task, pairs: Pairs, positions: Sequence[int], tables: list[Table]) -> list[Safe]:
    if len(positions) < 2:
        return [note("Fewer than two of the entries shown have stored predictions: no pairs to compare.")]
    entries = [board.entry(pairs["entries"][i]) for i in positions]
    columns = (
        Column("entry", "Row minus column"),
        *(Column(f"e{n}", f"{n + 1}", entry_text(board, e), numeric=True) for n, e in enumerate(entries)),
    )
    better = 1 if task["higher_is_better"] else -1
    names = [entry_text(board, e) for e in entries]
    rows = tuple(
        (
            Cell(f"{n + 1}. {names[n]}", html=join(tag("span", str(n + 1), class_="badge"), names[n])),
            *(_pair(board, pairs, i, j, better) for j in positions),
        )
        for n, i in enumerate(positions)
    )  # fmt: skip
    table = Table("pairs", f"Paired differences, {len(positions)} best tested entries", columns, rows)
    tables.append(table)
    return [
        section(
            "Pairs",
            shown(table, style="matrix"),
            note(
                "Difference of the scores on the same resamples, with p adjusted by Holm over all pairs of the task. "
                "▲ the row is better, ▼ the column is better (p < 0.05); without a mark they are not told apart. "
                "A cell leads to the comparison over all tasks."
            ),
        )
    ]


def _pair(board: Board, pairs: Pairs, i: int, j: int, better: int) -> Cell:
    difference, p = pairs["difference"][i][j], pairs["p_adjusted"][i][j]
    if i == j or difference is None or not known(difference):
        return Cell(UNKNOWN, html=tag("span", UNKNOWN, class_="none"))
    sure = p is not None and p < 0.05
    ahead = difference * better > 0
    arrow, style = (("▲", "ahead") if ahead else ("▼", "behind")) if sure else ("", "even")
    said = between(pairs["low"][i][j], pairs["high"][i][j])
    keys = [board.entry(pairs["entries"][n])["key"] for n in (i, j)]
    html = join(
        link([signed(difference), " ", arrow], href("compare", a=keys[0], b=keys[1]), title=f"95 % {said}"),
        tag("span", f"p {probability(p)}", class_="ci"),
    )
    return Cell(signed(difference) + (" *" if sure else ""), difference, html, style)
