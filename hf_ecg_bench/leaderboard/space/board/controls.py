"""The controls of each page: which they are, and what they offer."""

from __future__ import annotations

from typing import Any

import gradio as gr

from .address import PAGES, Field
from .board import Board
from .naming import entry_text
from .snapshot import ALL_MODES, BEST_MODE
from .text import short, spoken

_RADIO = frozenset({"source", "contamination"})
#: Parts of the address that links of the page set, not controls.
_BY_LINKS = frozenset({"sort", "order", "rows"})
_WORDS = {
    ("source", "ours"): "Ours",
    ("source", "published"): "Published",
    ("source", "both"): "Both",
    ("contamination", "keep"): "Keep",
    ("contamination", "hide"): "Hide",
    ("contamination", "impute"): "Impute",
    ("size", "any"): "any",
    ("size", "small"): "below 10 M",
    ("size", "medium"): "10 to 80 M",
    ("size", "large"): "80 M and more",
    ("columns", "categories"): "category ranks",
    ("columns", "scores"): "category scores",
    ("columns", "cost"): "cost",
    ("columns", "tasks"): "every task",
    ("modes", BEST_MODE): "best per model",
    ("modes", ALL_MODES): "all",
}


def controls_of(page: str) -> list[Field]:
    """The fields of a page that have a control."""
    return [field for field in PAGES[page] if field.name not in _BY_LINKS]


def choices_of(board: Board, field: Field) -> list[tuple[str, str]] | None:
    """(what is shown, value); None for free text."""
    if field.allowed is None:
        return None
    return [(_shown(board, field, value), value) for value in field.allowed(board)]


def control_of(board: Board, page: str, field: Field, value: str) -> Any:
    """The component of a field."""
    name, choices = f"{page}-{field.name}", choices_of(board, field)
    if choices is None:
        return gr.Textbox(
            value, label=field.label, placeholder="model or mode", elem_id=name, max_lines=1, min_width=140, scale=1
        )
    if field.name in _RADIO:
        return gr.Radio(choices, value=value, label=field.label, elem_id=name, min_width=0, scale=0)
    offered = [choice for _, choice in choices]
    return gr.Dropdown(
        choices,
        value=value if value in offered else None,
        label=field.label,
        elem_id=name,
        filterable=len(choices) > 12,
        min_width=150,
        scale=2 if field.subject else 1,
    )


def _shown(board: Board, field: Field, value: str) -> str:
    if (field.name, value) in _WORDS:
        return _WORDS[field.name, value]
    match field.name:
        case "a" | "b":
            return entry_text(board, board.entry(board.entries[value]))
        case "model":
            return short(board.title(value))
        case "task":
            return short(board.tasks[value]["name"] or value)
        case "dataset":
            return short(board.datasets[value]["title"] or value)
    return spoken(value)
