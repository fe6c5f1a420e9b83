"""From the query of an address to a finished page, or to its tables as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .address import PAGE, PAGES, TITLES, Address, Problem, changed, href, read, write
from .board import Board, Trouble
from .export import file_name, to_csv, to_latex
from .markup import Safe, link, tag
from .page import Page
from .pages.about import about
from .pages.compare import compare
from .pages.dataset import dataset_page
from .pages.model import model_page
from .pages.overall import overall
from .pages.submit import submit
from .pages.task import task_page

NAME = "ECG Foundation Model Leaderboard"

_PAGES: Mapping[str, Callable[[Board, Address], Page]] = {
    "overall": overall,
    "task": task_page,
    "model": model_page,
    "compare": compare,
    "dataset": dataset_page,
    "submit": submit,
    "about": about,
}


#: A heartbeat; drawn, since not every system has a letter for it.
_LOGO = tag(
    "svg",
    tag("path", d="M1 12h5l2-4 3 11 4-17 3 10h5", class_="beat"),
    viewBox="0 0 24 22",
    width=26,
    height=24,
    aria_hidden="true",
)


def page_of(board: Board, address: Address) -> Page:
    """The page; where what it is about is unknown or missing, a page that says so."""
    if address.lost:
        return Page("Not found", Safe(""))
    empty = [field.label for field in PAGES[address.page] if field.subject and not address[field.name]]
    if empty:
        text = f"There is nothing to show yet: no {' and no '.join(label.lower() for label in empty)} in the data."
        return Page(TITLES[address.page], tag("p", text, class_="message", role="status"))
    return _PAGES[address.page](board, address)


def content(board: Board, address: Address) -> Safe:
    """The main part of the window."""
    try:
        page = page_of(board, address)
    except Trouble as trouble:
        return trouble_page(trouble)
    return tag(
        "article",
        tag("h1", page.title, id="heading", tabindex="-1"),
        [_problem(board, address, problem) for problem in address.problems],
        page.body,
        class_=f"eb page-{address.page}",
        data_title=f"{page.title} · {NAME}",
    )


def has_tables(address: Address) -> bool:
    """Whether there is a table to download on a page."""
    return address.page != "submit" and not address.lost


def header(board: Board | None, page: str) -> Safe:
    """The name of the board and the links to the pages."""
    links = [
        link(title, href(name), aria_current="page" if name == page else None, id=f"nav-{name}")
        for name, title in TITLES.items()
    ]
    facts = ""
    if board is not None:
        index = board.index
        facts = f"{len(index['models'])} models · {len(index['tasks'])} tasks · {len(index['cells']['value'])} results"
    return tag(
        "header",
        tag("a", "Skip to the content", href="#heading", class_="skip", data_skip=""),
        tag("div", tag("strong", _LOGO, NAME), tag("span", facts), class_="name"),
        tag("nav", tag("ul", [tag("li", item) for item in links]), aria_label="Pages") if board is not None else None,
        class_="eb",
    )


def exported(board: Board, query: str, kind: str) -> tuple[str, str]:
    """File name and text of what the address shows: "csv" or "tex". All rows, all tables of the page."""
    address = read(query, board)
    tables = page_of(board, address).tables
    write_one = to_csv if kind == "csv" else to_latex
    name = file_name(address.page, tables[0].name if len(tables) == 1 else "tables", kind)
    return name, "\n".join(write_one(table) for table in tables)


def trouble_page(trouble: Trouble) -> Safe:
    """What is wrong with the data, in place of a page."""
    return tag(
        "article",
        tag("h1", "The data of this board cannot be shown", id="heading", tabindex="-1"),
        tag(
            "div",
            tag("p", trouble.what),
            tag("p", tag("b", "What to do: "), trouble.fix),
            class_="message",
            role="alert",
        ),
        class_="eb page-trouble",
        data_title=f"No data · {NAME}",
    )


def _problem(board: Board, address: Address, problem: Problem) -> Safe:
    close = []
    for name in problem.close:
        target = href(name) if problem.field.name == PAGE else changed(address, board, **{problem.field.name: name})
        close += [link(name, target), " "]
    return tag(
        "div",
        tag("p", f"Unknown {problem.field.label.lower()} in the address: “{problem.found}”. "),
        tag("p", "Did you mean: ", close) if close else tag("p", "Choose one above."),
        class_="message",
        role="alert",
    )


__all__ = ["content", "exported", "has_tables", "header", "page_of", "read", "trouble_page", "write"]
