"""What the grid's own files say of cells without a result: which failed, and which have not run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.grid.failures import read_failure
from hf_ecg_bench.grid.folder import CELLS, FAILURE, GRID_FILE, read_plan, run_folder
from hf_ecg_bench.results.schema import RESULT_FILE


@dataclass(frozen=True)
class Failure:
    """A cell that ended with an error: its name, the error's class and message, and what mends it."""

    cell: str
    kind: str
    message: str
    fix: str


@dataclass(frozen=True)
class GridState:
    """What a grid lacks; empty where the results come from no grid.

    Attributes:
        cells: how many the grid has; 0 where there is no plan.
        failures: sorted by cell; `waiting`: cells of the plan without a result and without a failure.
        notes: what could not be read.
    """

    cells: int = 0
    failures: tuple[Failure, ...] = ()
    waiting: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_grid_state(folder: Path) -> GridState:
    """Read the failures and the plan of the grid in `folder`, where it is one."""
    notes: list[str] = []
    failures = _failures(folder, notes)
    cells: tuple[str, ...] = ()
    if (folder / GRID_FILE).is_file():
        try:
            cells = tuple(cell.id for cell in read_plan(folder)[0].cells)
        except EcgBenchError as error:
            notes.append(error.message.replace(f"{folder}/", ""))
    failed = {failure.cell for failure in failures}
    waiting = tuple(cell for cell in cells if cell not in failed and not _finished(folder, cell))
    return GridState(len(cells), failures, waiting, tuple(notes))


def _failures(folder: Path, notes: list[str]) -> tuple[Failure, ...]:
    found = []
    for path in sorted((folder / CELLS).rglob(FAILURE)):
        cell = path.parent.relative_to(folder / CELLS).as_posix()
        failure = read_failure(path.parent)
        if failure is None:
            notes.append(f"{CELLS}/{cell}/{FAILURE} cannot be read")
        elif not _finished(folder, cell):
            message = str(failure.message).replace(f"{folder}/", "")
            found.append(Failure(cell, str(failure.kind), message, str(failure.fix).replace(f"{folder}/", "")))
    return tuple(found)


def _finished(folder: Path, cell: str) -> bool:
    try:
        return (run_folder(folder, cell) / RESULT_FILE).is_file()
    except EcgBenchError:  # a name that leads out of the folder
        return False
