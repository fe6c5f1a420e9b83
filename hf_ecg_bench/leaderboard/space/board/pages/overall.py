"""Who is ahead over all tasks: tied groups, intervals, categories, cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..address import SIZES, Address
from ..board import Board
from ..costs import COSTS
from ..formats import UNKNOWN, amount, between, count, fixed, known, percent, probability
from ..markup import Safe, join, tag
from ..naming import category_name, cell_signs, entry_markup, score_cell
from ..page import Page, in_order, note, sorted_table
from ..snapshot import Entry, Number, Standing, View
from ..svg import axis, extent, whisker
from ..table import Cell, Column, Table
from ..text import short, spoken

FIRST = 40

_FIXED = (
    Column("entry", "Model", "Number in front: group of entries that are not told apart from its best"),
    Column("group", "Tied group", shown=False, numeric=True),
    Column("mode", "Mode", shown=False),
    Column("preprocessing", "Preprocessing", shown=False),
    Column("protocol", "Protocol", shown=False),
    Column("origin", "Origin", shown=False),
    Column("mean_rank", "Mean rank", "Over the tasks that the entry has; 1 is best", numeric=True),
    Column("rank_low", "Mean rank, low", numeric=True, shown=False),
    Column("rank_high", "Mean rank, high", numeric=True, shown=False),
    Column(
        "interval", "95 % interval", "Of the mean rank; left is better; tasks drawn in their datasets", sortable=False
    ),
    Column("datasets", "Over datasets", "The same interval where whole datasets are drawn", sortable=False),
    Column("median_rank", "Median rank", numeric=True),
    Column("win_rate", "Win rate", "Share of comparisons won; ties count half", numeric=True, ascending=False),
    Column("skill", "Skill", "1 − geometric mean of error / error of the baseline", numeric=True, ascending=False),
    Column("skill_low", "Skill, low", numeric=True, shown=False),
    Column("skill_high", "Skill, high", numeric=True, shown=False),
    Column("parameters", "Parameters", numeric=True),
    Column("tasks", "Tasks", "With a result, of all; missing and hidden ones are not filled in", numeric=True),
)


def overall(board: Board, address: Address) -> Page:
    """The list of entries for one choice of source, modes and contamination."""
    name = f"{address['source']}-{address['modes']}-{address['contamination']}"
    view = board.view(name)
    if view is None or not view["standings"]:
        return Page("Leaderboard", _nothing(board, name))
    standings = [s for s in view["standings"] if _wanted(board, s, address)]
    table = in_order(_table(board, standings, view, address), address)
    n = len(view["standings"])
    what = f"{n} entries" if len(standings) == n else f"{len(standings)} of {n} entries, ranked among all of them"
    return Page(
        "Leaderboard",
        join(
            tag("p", what, role="status", class_="count"),
            sorted_table(table, board, address, first=FIRST, style="board"),
            _legend(),
            _statistics(view),
        ),
        (table,),
    )


def _column(column: Column, span: tuple[float, float], several: bool) -> Column:
    if column.key == "interval":
        return replace(column, scale=axis(span))
    return replace(column, shown=several) if column.key == "datasets" else column


def _wanted(board: Board, standing: Standing, address: Address) -> bool:
    entry = board.entry(standing["entry"])
    low, high = SIZES[address["size"]]
    size = entry["parameters"]
    if address["size"] != "any" and (size is None or not known(size) or not low <= size / 1e6 < high):
        return False
    text = " ".join((entry["key"], board.title(entry["model"]), spoken(entry["mode"]))).lower()
    return all(word in text for word in address["q"].lower().split())


def _table(board: Board, standings: Sequence[Standing], view: View, address: Address) -> Table:
    span = extent([v for s in view["standings"] for v in (s["mean_rank"], s["rank_low"], s["rank_high"])], 0.02)
    several = any(known(s["dataset_low"]) for s in standings)  # datasets: of one there is nothing to draw
    fixed_columns = tuple(_column(c, span, several) for c in _FIXED)
    extra, cells_of = _extra(board, view, address["columns"], address["contamination"])
    # The tasks that this view ranks are those that an entry has and those that it has not.
    total = max((s["n_tasks"] + s["missing"] + s["hidden"] for s in view["standings"]), default=0)
    rows = []
    for standing in standings:
        entry = board.entry(standing["entry"])
        rows.append((*_fixed(board, standing, entry, span, total), *cells_of(standing, entry)))
    styles, before = [], None
    for standing in standings:
        starts = not address["sort"] and before is not None and standing["group"] != before
        styles.append(("group-start " if starts else "") + ("even" if standing["group"] % 2 == 0 else ""))
        before = standing["group"]
    caption = f"Entries over {count(total)} tasks, best mean rank first"
    return Table("overall", caption, (*fixed_columns, *extra), tuple(rows), tuple(style.strip() for style in styles))


def _fixed(board: Board, standing: Standing, entry: Entry, span: tuple[float, float], n_tasks: int) -> tuple[Cell, ...]:
    rank, low, high = standing["mean_rank"], standing["rank_low"], standing["rank_high"]
    published = entry["origin"] == "published"
    said = between(low, high, 1)
    skill = fixed(standing["skill"], 2)
    skill_range = between(standing["skill_low"], standing["skill_high"], 2)
    lacking = [f"{standing[k]} {k}" for k in ("missing", "hidden") if standing[k]]
    title = short(board.title(entry["model"]))
    group = str(standing["group"] or UNKNOWN)
    return (
        Cell(title, title, entry_markup(board, entry, group)),
        Cell(group, standing["group"]),
        Cell(spoken(entry["mode"]), entry["mode"]),
        Cell(short(entry["preprocessing"]), entry["preprocessing"]),
        Cell(short(entry["protocol"]), entry["protocol"]),
        Cell(entry["origin"], entry["origin"]),
        Cell(fixed(rank, 1), rank, join(tag("b", fixed(rank, 1)), tag("span", said, class_="ci") if said else None)),
        Cell(fixed(low, 1), low),
        Cell(fixed(high, 1), high),
        Cell(said, html=whisker(rank, low, high, span, series=5 if published else 0) or Safe("")),
        Cell(between(standing["dataset_low"], standing["dataset_high"], 1)),
        Cell(fixed(standing["median_rank"], 1), standing["median_rank"]),
        Cell(percent(standing["win_rate"]), standing["win_rate"]),
        Cell(skill, standing["skill"], join(skill, tag("span", skill_range, class_="ci") if skill_range else None)),
        Cell(fixed(standing["skill_low"], 2), standing["skill_low"]),
        Cell(fixed(standing["skill_high"], 2), standing["skill_high"]),
        Cell(amount(entry["parameters"]), entry["parameters"]),
        Cell(
            f"{standing['n_tasks']} of {n_tasks}",
            standing["n_tasks"],
            join(f"{standing['n_tasks']}/{n_tasks}", tag("span", ", ".join(lacking), class_="ci")),
        ),
    )


Filler = Callable[[Standing, Entry], tuple[Cell, ...]]


def _extra(board: Board, view: View, columns: str, policy: str) -> tuple[tuple[Column, ...], Filler]:
    """The chosen block of columns, and the function that fills it for a standing."""
    if columns == "cost":
        added = tuple(Column(key, title, numeric=True) for key, title, _ in COSTS)
        return added, lambda standing, entry: tuple(Cell(text(entry[key]), entry[key]) for key, _, text in COSTS)
    if columns == "tasks":
        tasks = list(board.tasks.values())
        added = tuple(
            Column(
                "task-" + task["id"], short(task["name"] or task["id"], 26), task["metric"], numeric=True,
                ascending=not task["higher_is_better"],
            )
            for task in tasks
        )  # fmt: skip
        return added, lambda standing, entry: tuple(
            _task_cell(board, standing["entry"], task["id"], policy) for task in tasks
        )
    kind = "category_value" if columns == "scores" else "category_rank"
    there = {category for standing in view["standings"] for category in standing[kind]}  # type: ignore[literal-required]
    ids = [c["id"] for c in board.index["categories"] if c.get("id") in there]
    ids += sorted(there - set(ids))
    digits = 3 if columns == "scores" else 1
    help_ = "Mean score over the category's tasks" if columns == "scores" else "Mean rank over the category's tasks"
    # Ranks are best when low, scores in the direction of the category's metric (a category of several has none).
    entries = [standing["entry"] for standing in view["standings"]]
    errors = {
        task["category"]
        for task in board.tasks.values()
        if not task["higher_is_better"] and any((entry, task["id"]) in board.cell for entry in entries)
    }
    low = {c: columns != "scores" or c in errors for c in ids}
    added = tuple(Column("category-" + c, category_name(board, c), help_, numeric=True, ascending=low[c]) for c in ids)
    best = {
        c: _best([s[kind].get(c) for s in view["standings"]], lowest=low[c])  # type: ignore[literal-required]
        for c in ids
    }

    def cells(standing: Standing, entry: Entry) -> tuple[Cell, ...]:
        values: dict[str, Number] = standing[kind]  # type: ignore[literal-required]
        return tuple(
            Cell(fixed(values.get(c), digits), values.get(c), style="best" if _same(values.get(c), best[c]) else "")
            for c in ids
        )

    return added, cells


def _task_cell(board: Board, entry: int, task: str, policy: str) -> Cell:
    """The score; of a cell that the policy hides or replaces only that it does not count."""
    at = board.cell.get((entry, task))
    if policy == "keep" or at is None or board.index["cells"]["contamination"][at] != "test_records":
        return score_cell(board, entry, task, interval=False)
    return Cell("not counted", html=tag("span", "not counted", cell_signs(board, at), class_="none"))


def _best(values: Sequence[Number], *, lowest: bool) -> Number:
    there = [v for v in values if v is not None and known(v)]
    return (min(there) if lowest else max(there)) if there else None


def _same(a: Number, b: Number) -> bool:
    return a is not None and b is not None and a == b


def _legend() -> Safe:
    return note(
        tag("b", "Reading: "),
        "the number before a name is its tied group: its members are not told apart from the best of the group; "
        f"{UNKNOWN}: too few tasks for a group. ",
        "Intervals are 95 %. A ring in the interval column marks a published row: it has no predictions, so its rank "
        "is by value alone. Bold: best of a column. T, C: contaminated cell; †: audit note (see About).",
    )


def _statistics(view: View) -> Safe:
    parts = [tag("li", short(text, 400)) for text in view["notes"][:20]]
    for found in (view["friedman"], view["friedman"].get("datasets")):
        if isinstance(found, dict) and (said := _friedman(found)):
            parts.append(tag("li", said))
    return tag("ul", parts, class_="notes") if parts else Safe("")


def _friedman(found: Mapping[str, object]) -> str:
    """The test in words, over tasks or over datasets; empty where there is none."""
    chi2, p, distance = (_number(found.get(key)) for key in ("chi2", "p", "critical_difference"))
    if chi2 is None:
        return ""
    blocks = "datasets" if "n_datasets" in found else "tasks"
    sizes = [count(_number(found.get(key))) for key in (f"n_{blocks}", "n_entries")]
    text = f"Friedman test over {sizes[0]} {blocks} and {sizes[1]} entries: χ² = {fixed(chi2, 1)}, p {_p(p)}"
    return text + (f"; Nemenyi's critical difference of mean ranks: {fixed(distance, 2)}" if known(distance) else "")


def _p(p: Number) -> str:
    said = probability(p)
    return said if said.startswith("<") or said == UNKNOWN else "= " + said


def _number(value: object) -> Number:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _nothing(board: Board, name: str) -> Safe:
    there = sorted({view.split("-")[0] for view in board.index["views"]})
    return tag(
        "div",
        tag("p", tag("b", "There is nothing to rank for this choice.")),
        tag("p", f"Sources with results: {', '.join(map(short, there)) or 'none yet'}. Choose another source or mode."),
        class_="message",
        role="status",
        data_view_name=short(name),
    )
