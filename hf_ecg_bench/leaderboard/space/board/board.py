"""The snapshot in memory: the index is read once, pages of tasks and views when they are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from .checking import WrongShape, check
from .snapshot import (
    INDEX,
    PAIRS,
    SCALING,
    SNAPSHOT_VERSION,
    TASKS,
    VIEWS,
    Curve,
    Dataset,
    Entry,
    Index,
    Model,
    PairRow,
    Task,
    TaskPage,
    View,
)

#: Identifiers become file names: nothing that leaves the folder.
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@-]{0,150}")


class Trouble(Exception):
    """What is wrong with the data of this Space, and what its owner can do; shown as a page."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


EXPORT_AGAIN = "Write the Space again: hf-ecg-bench leaderboard --results DIR --export-space SPACE"


class Board:
    """Everything there is to show, by name.

    Attributes:
        index: of `index.json`; `models`, `tasks`, `datasets`: its parts by id; `entries`: by key.
        cell: (entry, task) -> position in the columns of `index["cells"]`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: Index = read_index(folder / INDEX)
        self.models: dict[str, Model] = {model["id"]: model for model in self.index["models"]}
        self.tasks: dict[str, Task] = {task["id"]: task for task in self.index["tasks"]}
        self.datasets: dict[str, Dataset] = {dataset["id"]: dataset for dataset in self.index["datasets"]}
        self.entries: dict[str, int] = {entry["key"]: i for i, entry in enumerate(self.index["entries"])}
        task_ids = [task["id"] for task in self.index["tasks"]]
        cells = self.index["cells"]
        self.cell: dict[tuple[int, str], int] = {
            (entry, task_ids[task]): i
            for i, (entry, task) in enumerate(zip(cells["entry"], cells["task"], strict=True))
        }

    @cached_property
    def marked_notes(self) -> dict[str, str]:
        """Audit notes that cells are marked with, id -> title. One that holds for more than a quarter of the published
        cells says little about any of them: it is told once, in the audit."""
        cells = self.index["cells"]
        published = sum(self.index["entries"][entry]["origin"] == "published" for entry in cells["entry"])
        return {note["id"]: note["title"] for note in self.index["audit"] if note["rows"] <= published / 4}

    def entry(self, number: int) -> Entry:
        """The entry at a position of the index."""
        return self.index["entries"][number]

    def title(self, model: str) -> str:
        """A model's name; its id where it is not of the registry."""
        known = self.models.get(model)
        return known["title"] or model if known else model

    @cached_property
    def scaling(self) -> Mapping[str, list[Curve]]:
        """Curves by task; empty where the snapshot has none."""
        path = self.folder / SCALING
        if not path.is_file():
            return {}
        curves: dict[str, list[Curve]] = _read(path, dict[str, list[Curve]])
        for task, of_task in curves.items():
            for curve in of_task:
                self._entries_exist([curve["entry"]], f"{SCALING}.{task}")
                _same_length(curve, ("fraction", "records", "value", "low", "high"), f"{SCALING}.{task}")
        return curves

    @lru_cache(maxsize=32)  # noqa: B019  one board lives as long as the program
    def view(self, name: str) -> View | None:
        """Who is ahead for one choice; None where the snapshot has no such view."""
        if name not in self.index["views"]:
            return None
        view: View = _read(self._path(VIEWS, name), View)
        self._entries_exist([standing["entry"] for standing in view["standings"]], f"{VIEWS}/{name}")
        return view

    def task_page(self, task: str) -> TaskPage | None:
        """Pairs and targets of a task; None where the snapshot has no file of it. Not kept: with 350 entries large."""
        if task not in self.tasks or not _FILE_NAME.fullmatch(task):
            return None
        path = self.folder / TASKS / f"{task}.json"
        if not path.is_file():
            return None
        page: TaskPage = _read(path, TaskPage)
        where, k = f"{TASKS}/{task}", len(page["pairs"]["entries"])
        self._entries_exist(page["pairs"]["entries"], where)
        for key in ("difference", "low", "high", "p_adjusted"):
            matrix: Any = page["pairs"][key]
            if len(matrix) != k or any(len(row) != k for row in matrix):
                raise Trouble(f"{where}.pairs.{key} is not a table of {k} by {k} numbers.", EXPORT_AGAIN)
        for target in page["targets"]:
            if any(len(target[key]) != k for key in ("value", "low", "high")):
                raise Trouble(f"{where}: a target has not {k} values, one for each entry.", EXPORT_AGAIN)
        return page

    def pair_rows(self, entry: int) -> dict[str, PairRow] | None:
        """By task: an entry minus others. None where the snapshot has no such file."""
        path = self.folder / PAIRS / f"{entry}.json"
        if not path.is_file():
            return None
        rows: dict[str, PairRow] = _read(path, dict[str, PairRow])
        for task, row in rows.items():
            _same_length(row, ("others", "difference", "low", "high", "p_adjusted"), f"{PAIRS}/{entry}.{task}")
        return rows

    def _path(self, folder: str, name: str) -> Path:
        if not _FILE_NAME.fullmatch(name):
            raise Trouble(f"{folder}/{name[:60]!r} is no name of a file of this snapshot.", EXPORT_AGAIN)
        return self.folder / folder / f"{name}.json"

    def _entries_exist(self, numbers: list[int], where: str) -> None:
        n = len(self.index["entries"])
        wrong = [number for number in numbers if not 0 <= number < n]
        if wrong:
            raise Trouble(f"{where} names entry {wrong[0]}; there are {n}.", EXPORT_AGAIN)


def read_index(path: Path) -> Index:
    """index.json, checked. Raises Trouble: not there, broken, or newer than this program."""
    if not path.is_file():
        raise Trouble("This Space has no data yet: data/index.json is missing.", EXPORT_AGAIN)
    raw = _parse(path)
    version = raw.get("snapshot_version") if isinstance(raw, dict) else None
    if type(version) is int and version > SNAPSHOT_VERSION:
        raise Trouble(
            f"The data are of version {version}; this app reads version {SNAPSHOT_VERSION}.",
            "Update the app together with the data: " + EXPORT_AGAIN,
        )
    _checked(raw, Index, path)
    cells = raw["cells"]
    _same_length(cells, tuple(cells), "index.cells")
    for column, n in (("entry", len(raw["entries"])), ("task", len(raw["tasks"]))):
        if cells[column] and not (min(cells[column]) >= 0 and max(cells[column]) < n):
            raise Trouble(f"index.cells.{column} points outside of the {n} there are.", EXPORT_AGAIN)
    index: Index = raw
    return index


def _read(path: Path, shape: Any) -> Any:
    return _checked(_parse(path), shape, path)


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (OSError, ValueError, RecursionError) as error:
        raise Trouble(f"{path.name} cannot be read: {str(error)[:200]}", EXPORT_AGAIN) from error


def _checked(raw: Any, shape: Any, path: Path) -> Any:
    try:
        check(raw, shape, path.stem)
    except WrongShape as error:
        raise Trouble(f"{path.name} is not as expected: {error}", EXPORT_AGAIN) from error
    return raw


def _same_length(columns: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    lengths = {key: len(columns[key]) for key in keys}
    if len(set(lengths.values())) > 1:
        raise Trouble(f"{where}: columns of different length: {lengths}", EXPORT_AGAIN)
