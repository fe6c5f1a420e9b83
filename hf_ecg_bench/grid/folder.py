"""A grid's folder, and the only place that knows the names in it.

runs/<cell>/            an ordinary run
cells/<cell>/log.txt    what the cell's process printed, failure.json why it failed, claim.json who computes it
stale/<when>/<cell>/    runs that were set aside
grid.json               the plan of the last start
slurm/                  what submitit writes
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import inside, write_json
from hf_ecg_bench.grid.payload import from_json, to_json
from hf_ecg_bench.grid.plan import RUNS, Cell, Plan
from hf_ecg_bench.results.schema import RESULT_FILE

GRID_FILE = "grid.json"
CELLS, STALE, SLURM = "cells", "stale", "slurm"
LOG, FAILURE, CLAIM = "log.txt", "failure.json", "claim.json"
_VERSION = 1


def cell_folder(grid: Path, cell: str) -> Path:
    """Where what is known about a cell beside its run stands."""
    return inside(grid, f"{CELLS}/{cell}")


def run_folder(grid: Path, cell: str) -> Path:
    """The cell's run."""
    return inside(grid, f"{RUNS}/{cell}")


def other_runs(grid: Path, plan: Plan) -> list[str]:
    """Finished runs in the grid's folder that are not in this plan: of another file, or an earlier state of it."""
    found = {file.parent.relative_to(grid / RUNS).as_posix() for file in (grid / RUNS).glob(f"**/{RESULT_FILE}")}
    return sorted(found - {cell.id for cell in plan.cells})


def write_plan(grid: Path, plan: Plan, digests: dict[str, dict[str, Any]], command: str) -> None:
    """Write grid.json: the cells, what their inputs were at this start, and the command."""
    cells = []
    for cell in plan.cells:
        entry = {**asdict(cell), "run": to_json(cell.run), "inputs": digests[cell.id]}
        entry["run"]["output_dir"] = f"{RUNS}/{cell.id}"  # the folder can be moved
        cells.append(entry)
    values = {"version": _VERSION, "command": command, "asked": plan.asked, "left_out": plan.left_out}
    write_json(grid / GRID_FILE, {**values, "notes": plan.notes, "cells": cells})


def read_plan(grid: Path) -> tuple[Plan, dict[str, dict[str, Any]]]:
    """The plan of the last start, and the digests of its inputs by cell.

    Raises:
        EcgBenchError: no grid there, or one of another version.
    """
    file = grid / GRID_FILE
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        if raw["version"] != _VERSION:
            raise EcgBenchError(
                f"{file} is of version {raw['version']!r}, this program reads {_VERSION}",
                fix="start the grid again with this program",
            )
        cells = []
        for entry in raw["cells"]:
            run = from_json({**entry["run"], "output_dir": str(run_folder(grid, entry["id"]))})
            cells.append(Cell(entry["id"], entry["model"], run, tuple(entry["answers"]), entry["store"]))
        plan = Plan(tuple(cells), raw["asked"], raw["left_out"], tuple(raw["notes"]))
        return plan, {entry["id"]: entry["inputs"] for entry in raw["cells"]}
    except FileNotFoundError as error:
        raise EcgBenchError(
            f"{grid} holds no grid (no {GRID_FILE})", fix=f"hf-ecg-bench grid SPEC.yaml --output-dir {grid}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EcgBenchError(
            f"{file} cannot be read: {type(error).__name__}: {error}", fix="start the grid again: it is written anew"
        ) from error
