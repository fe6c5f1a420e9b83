"""What is shown, as the query of the address and back: each view has a link of its own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from .board import Board
from .snapshot import ALL_MODES, BEST_MODE, CONTAMINATION, SOURCES
from .text import short

#: Number of parameters: lowest (included) and highest (excluded), in millions.
SIZES = {"any": (0.0, float("inf")), "small": (0.0, 10.0), "medium": (10.0, 80.0), "large": (80.0, float("inf"))}
COLUMNS = ("categories", "scores", "cost", "tasks")
#: The parameter that names the page. Gradio keeps `page` and `view` for itself (it answers 500 to an unknown `page`).
PAGE = "show"
#: What an address may hold: longer ones are cut.
LONGEST = 400

Allowed = Callable[[Board], list[str]]


@dataclass(frozen=True)
class Field:
    """A choice on a page.

    Attributes:
        name: of the query parameter.
        label: for people.
        allowed: the values there are; None is free text.
        default: the value that is left out of the address; empty means that none has been chosen.
        subject: the page is about this thing: without it, or with one that is unknown, there is nothing to show.
    """

    name: str
    label: str
    allowed: Allowed | None = None
    default: Callable[[Board], str] = lambda board: ""
    subject: bool = False


def default_source(board: Board) -> str:
    """Results of this program, as soon as there are any."""
    return "ours" if any(entry["origin"] == "ours" for entry in board.index["entries"]) else "published"


def default_task(board: Board) -> str:
    """The first of the tasks with most results of the default source."""
    source, tasks = default_source(board), [task["id"] for task in board.index["tasks"]]
    counts = dict.fromkeys(tasks, 0)
    for entry, task in zip(board.index["cells"]["entry"], board.index["cells"]["task"], strict=True):
        counts[tasks[task]] += board.entry(entry)["origin"] == source
    return max(tasks, key=lambda task: counts[task], default="")


def modes(board: Board) -> list[str]:
    """The choices of the mode filter."""
    return [BEST_MODE, ALL_MODES, *(mode for mode in board.index["modes"] if mode not in (BEST_MODE, ALL_MODES))]


_SORT = (Field("sort", "Sorted by"), Field("order", "Order", lambda board: ["", "up", "down"]))
_ROWS = Field("rows", "Rows", lambda board: ["", "all"])
_MODE = Field("modes", "Modes", lambda board: modes(board)[1:], lambda board: ALL_MODES)

PAGES: Mapping[str, tuple[Field, ...]] = {
    "overall": (
        Field("source", "Source", lambda board: list(SOURCES), default_source),
        Field("modes", "Mode", modes, lambda board: BEST_MODE),
        Field("contamination", "Contaminated cells", lambda board: list(CONTAMINATION), lambda board: "keep"),
        Field("size", "Parameters", lambda board: list(SIZES), lambda board: "any"),
        Field("columns", "Columns", lambda board: list(COLUMNS), lambda board: "categories"),
        Field("q", "Search"),
        *_SORT,
        _ROWS,
    ),
    "task": (
        Field("task", "Task", lambda board: list(board.tasks), default_task, True),
        _MODE,
        *_SORT,
        _ROWS,
    ),
    "model": (
        Field("model", "Model", lambda board: list(board.models), lambda board: next(iter(board.models), ""), True),
        *_SORT,
        _ROWS,
    ),
    "compare": (
        Field("a", "First model", lambda board: list(board.entries), lambda board: _nth(board, 0), True),
        Field("b", "Second model", lambda board: list(board.entries), lambda board: _nth(board, 1), True),
        *_SORT,
    ),
    "dataset": (
        Field(
            "dataset", "Dataset", lambda board: list(board.datasets), lambda board: next(iter(board.datasets), ""), True
        ),
        *_SORT,
    ),
    "submit": (),
    "about": (*_SORT,),
}
TITLES = {
    "overall": "Overall",
    "task": "Tasks",
    "model": "Models",
    "compare": "Compare two",
    "dataset": "Datasets",
    "submit": "Submit",
    "about": "About",
}


@dataclass(frozen=True)
class Problem:
    """A name in the address that is unknown, and what may have been meant."""

    field: Field
    found: str
    close: tuple[str, ...]


@dataclass(frozen=True)
class Address:
    """A page and the choices on it, all of them set; `problems`: names that were not understood."""

    page: str
    values: Mapping[str, str]
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def lost(self) -> bool:
        """Whether what the page is about is unknown."""
        return any(problem.field.subject or problem.field.name == PAGE for problem in self.problems)


def read(query: str, board: Board) -> Address:
    """The query of an address, `?` before it or not. Unknown names are kept as problems; the default stands in."""
    given = dict(parse_qsl(query.lstrip("?")[: 4 * LONGEST], keep_blank_values=False, max_num_fields=None))
    page, problems = given.get(PAGE, "overall"), []
    if page not in PAGES:
        problems.append(_problem(Field(PAGE, "Page", lambda board: list(PAGES)), page, list(PAGES)))
        page = "overall"
    values = {}
    for field in PAGES[page]:
        value = given.get(field.name, "")[:LONGEST]
        allowed = field.allowed(board) if field.allowed else None
        if value and allowed is not None and value not in allowed:
            problems.append(_problem(field, value, allowed))
            values[field.name] = "" if field.subject else field.default(board)
        else:
            values[field.name] = value or field.default(board)
    return Address(page, values, tuple(problems))


def write(address: Address, board: Board) -> str:
    """The query of a view without its `?`; what is as usual is left out."""
    pairs = [(PAGE, address.page)] if address.page != "overall" else []
    for field in PAGES[address.page]:
        value = address.values.get(field.name, "")
        if value and (value != field.default(board) or field.subject):
            pairs.append((field.name, value))
    return urlencode(pairs, safe="/:")


def href(page: str, **values: str) -> str:
    """A link to a view; empty where a name is too long to be found again (it is then shown without a link)."""
    if any(len(value) > LONGEST for value in values.values()):
        return ""
    pairs = [(PAGE, page), *((key, value) for key, value in values.items() if value)]
    return "?" + urlencode(pairs, safe="/:")


def changed(address: Address, board: Board, **values: str) -> str:
    """The link to this view with other choices; empty where a name is too long."""
    if any(len(value) > LONGEST for value in (*address.values.values(), *values.values())):
        return ""
    return "?" + (write(Address(address.page, {**address.values, **values}), board) or f"{PAGE}=overall")


def _problem(field: Field, found: str, allowed: list[str]) -> Problem:
    by_lower = {name.lower()[:100]: name for name in allowed}
    close = difflib.get_close_matches(found.lower()[:100], by_lower, n=3, cutoff=0.4)
    return Problem(field, short(found), tuple(by_lower[name] for name in close))


def _nth(board: Board, n: int) -> str:
    """An entry to begin a comparison with: the n-th of the overall list."""
    view = board.view(f"{default_source(board)}-{BEST_MODE}-keep")
    order = [standing["entry"] for standing in view["standings"]] if view else list(range(len(board.entries)))
    return board.entry(order[n])["key"] if n < len(order) else ""
