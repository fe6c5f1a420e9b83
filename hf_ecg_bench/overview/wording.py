"""How entries, tasks, categories and numbers are called in tables and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hf_ecg_bench.models.registry import MODELS
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.row import ContaminationState
from hf_ecg_bench.results.tables import Cell, Column
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.tasks.catalogue import CATALOGUE

SEEN, SAME_CORPUS = "\N{DAGGER}", "\N{DOUBLE DAGGER}"
_MARKS: dict[ContaminationState, str] = {"test_records": SEEN, "same_corpus": SAME_CORPUS}
#: What the marks of contamination mean, for captions.
MARKS_MEAN = (
    f"{SEEN} the model may have seen the test records before. "
    f"{SAME_CORPUS} it has seen other records of the same corpus."
)


def task_name(task: str) -> str:
    """`PTB-XL (super)`; the id where the catalogue does not know it."""
    return CATALOGUE[task].name if task in CATALOGUE else task


def contamination_mark(state: ContaminationState) -> str:
    """A dagger, or nothing."""
    return _MARKS.get(state, "")


def entry_cells(entry: Entry) -> tuple[Cell, Cell]:
    """Model and mode; what is unusual stands with the mode."""
    return Cell(entry.model), Cell(", ".join([entry.mode, *entry.unusual]))


def entry_columns() -> tuple[Column, Column]:
    """The heads of `entry_cells`."""
    return Column("Model"), Column("Mode")


def unique_titles(titles: Sequence[str]) -> list[str]:
    """Titles told apart by a number where several are equal: columns are keys in JSON."""
    return [
        title if titles.index(title) == at else f"{title} ({titles[: at + 1].count(title)})"
        for at, title in enumerate(titles)
    ]


def with_interval(value: float, low: float, high: float, digits: int = 3) -> str:
    """`0.912 [0.890, 0.931]`; empty where there is no value."""
    return Estimate(value, low, high).format(digits) if math.isfinite(value) else ""


def signed(value: float, low: float = math.nan, high: float = math.nan, digits: int = 3) -> str:
    """`+0.012 [-0.001, +0.025]`; empty where there is no value."""
    if not math.isfinite(value):
        return ""
    text = f"{value:+.{digits}f}"
    ends = math.isfinite(low) and math.isfinite(high)
    return f"{text} [{low:+.{digits}f}, {high:+.{digits}f}]" if ends else text


def fixed(value: float, digits: int) -> str:
    """A number, or nothing."""
    return f"{value:.{digits}f}" if math.isfinite(value) else ""


def sentence(text: str) -> str:
    """A note as a sentence of its own; the ids of models and tasks stay as they are."""
    first = text.partition(" ")[0].rstrip(":,")
    name = "_" in first or first in MODELS or first in CATALOGUE
    return (text if name else f"{text[:1].upper()}{text[1:]}") + ("" if text.endswith((".", ":", "?")) else ".")
