"""How models, entries, tasks and cells are shown everywhere."""

from __future__ import annotations

from .address import href
from .board import Board
from .formats import between, fixed
from .markup import Safe, join, link, tag
from .snapshot import Entry
from .table import Cell
from .text import LONGEST_TEXT, short, spoken

#: State -> (sign, what it says). A sign is a letter: it does not rest on its colour.
CONTAMINATION_SIGNS = {
    "test_records": ("T", "its pretraining has seen these test records"),
    "same_corpus": ("C", "its pretraining has seen other records of the same corpus"),
    "unknown": ("?", "it is not known whether its pretraining has seen these records"),
}


#: What a pretraining has seen of a dataset, as words.
SEEN = {
    "test_records": "T: test records",
    "same_corpus": "C: other records of the corpus",
    "unknown": "? unknown",
    "none": "nothing",
}


def sign(letter: str, meaning: str, style: str, address: str = "") -> Safe:
    """A small letter behind a number, with its meaning for pointers and screen readers."""
    inner = [tag("span", letter, aria_hidden="true"), tag("span", f" ({meaning})", class_="unseen")]
    text = link(inner, address) if address else join(inner)
    return tag("sup", text, class_=f"sign {style}", title=meaning)


def entry_text(board: Board, entry: Entry) -> str:
    """`MERL, lora`; with what is unusual about it behind."""
    unusual = _unusual(entry)
    published = ["published"] if entry["origin"] == "published" else []
    return ", ".join([short(board.title(entry["model"])), spoken(entry["mode"]), *map(spoken, unusual), *published])


def _unusual(entry: Entry) -> list[str]:
    said = [v for v in (entry["preprocessing"], entry["protocol"]) if v != "paper"]
    return [*said, f"weights {entry['weights']}"] if entry.get("weights") else said


def entry_markup(board: Board, entry: Entry, badge: str = "") -> Safe:
    """The model as a link, and how it was adapted below it."""
    notes = [spoken(entry["mode"]), *map(spoken, _unusual(entry))]
    return tag(
        "span",
        tag("span", tag("span", "Group ", class_="unseen"), badge, class_="badge") if badge else None,
        tag(
            "span",
            model_link(board, entry["model"]),
            tag(
                "span",
                " · ".join(notes),
                tag("span", "published", class_="pill") if entry["origin"] == "published" else None,
                class_="how",
            ),
            class_="who",
        ),
        class_="entry",
    )


def model_link(board: Board, model: str) -> Safe:
    """To the page of a model."""
    name = short(board.title(model))
    if model not in board.models:
        return tag("span", name)
    return link(name, href("model", model=model))


def task_link(board: Board, task: str) -> Safe:
    """To the page of a task."""
    return link(short(board.tasks[task]["name"] or task), href("task", task=task))


def score_cell(board: Board, entry: int, task: str, *, interval: bool = True) -> Cell:
    """The score of an entry on a task with its interval and signs; a dash where there is none."""
    at = board.cell.get((entry, task))
    if at is None:
        return Cell("–", html=tag("span", "–", aria_label="no result", class_="none"))
    cells = board.index["cells"]
    value, low, high = cells["value"][at], cells["low"][at], cells["high"][at]
    text = fixed(value)
    signs = cell_signs(board, at)
    said = between(low, high) if interval else ""
    html = join(text, signs, tag("span", said, class_="ci") if said else None)
    marks = "†" if audit_titles(board, at) else ""
    return Cell(text + marks, value, html)


def cell_signs(board: Board, at: int) -> Safe:
    """What is known against a cell: contamination, audit notes."""
    cells, signs = board.index["cells"], []
    state = cells["contamination"][at]
    if state in CONTAMINATION_SIGNS and state != "unknown":
        letter, meaning = CONTAMINATION_SIGNS[state]
        reason = short(cells["reason"][at], 200)
        signs.append(sign(letter, f"{meaning}: {reason}" if reason else meaning, state))
    titles = audit_titles(board, at)
    if titles:
        signs.append(sign("†", "audit: " + short("; ".join(titles), 240), "audit", href("about") + "#audit"))
    return join(signs)


def audit_titles(board: Board, at: int) -> list[str]:
    """What the audit says of a cell in particular."""
    notes = board.index["cells"]["audit"][at].split(",")
    return [board.marked_notes[note] for note in notes if note in board.marked_notes]


def category_name(board: Board, category: str) -> str:
    """The name of a category; its id as words where the index has none."""
    for known in board.index["categories"]:
        if known.get("id") == category:
            return short(known.get("name") or spoken(category), 40)
    return spoken(category)


def facts(pairs: list[tuple[str, Safe | str]]) -> Safe:
    """Names and values as a description list; empty values are left out."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value], class_="facts")


def paragraph(text: str) -> list[Safe]:
    """A stranger's plain text as paragraphs."""
    parts = [part for part in text.split("\n\n") if part.strip()]
    return [tag("p", part if len(part) <= LONGEST_TEXT else part[:LONGEST_TEXT] + "…") for part in parts[:20]]
