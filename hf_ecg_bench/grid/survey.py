"""Reads what the files say about cells, and what state each is in."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hf_ecg_bench.files import dumps_json
from hf_ecg_bench.grid.claims import Claim, is_alive, is_queued, read_claim
from hf_ecg_bench.grid.failures import Failure, identity_digest, read_failure
from hf_ecg_bench.grid.folder import LOG, cell_folder, run_folder
from hf_ecg_bench.grid.inputs import data_digest, expected_identity
from hf_ecg_bench.grid.logs import epochs_of, read_end
from hf_ecg_bench.grid.plan import Cell
from hf_ecg_bench.grid.states import CellState, Known, state_of
from hf_ecg_bench.names import NAMESPACE
from hf_ecg_bench.training.spec import RunSpec

_STARTED_BY = "started_by"


@dataclass(frozen=True)
class Seen:
    """A cell as the files show it.

    Attributes:
        cell, state: the cell and its state.
        claim: who computes it, alive or not.
        failure: of its last start.
        epochs: (finished, of how many) as its log says.
    """

    cell: Cell
    state: CellState
    claim: Claim | None = None
    failure: Failure | None = None
    epochs: tuple[int, int] | None = None


def failure_identity(cell: Cell, inputs: dict[str, Any]) -> str:
    """Under which a failure of the cell is noted: further tests belong to it."""
    further = {"evaluate_on": cell.run.evaluate_on, "perturb": cell.run.perturb}
    return identity_digest({**expected_identity(cell.run, inputs), **further})


def look(grid: Path, cell: Cell, inputs: dict[str, Any], now: float | None = None) -> Seen:
    """Read the cell's files. Args: now: seconds since 1970."""
    beside, folder = cell_folder(grid, cell.id), run_folder(grid, cell.id)
    claim, failure = read_claim(beside), read_failure(beside)
    started = _started(folder)
    result, damage = _result(folder)
    epochs = None
    if result == "none" and started is not None:
        epochs = next(reversed(epochs_of(read_end(beside / LOG))), None)
    known = Known(
        result=result,
        damage=damage,
        started=started,
        live=claim is not None and is_alive(claim, time.time() if now is None else now),
        queued=claim is not None and is_queued(claim),
        failure=failure,
        pending=_pending(folder, cell.run) if result == "whole" else (),
        epochs=epochs,
    )
    expected = json.loads(dumps_json(expected_identity(cell.run, inputs)))
    return Seen(cell, state_of(expected, failure_identity(cell, inputs), known), claim, failure, epochs)


def _started(folder: Path) -> dict[str, Any] | None:
    from hf_ecg_bench.training.surviving.state import RUN_FILE

    try:
        value = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict):
        return {}
    value.pop(_STARTED_BY, None)
    return value


def _result(folder: Path) -> tuple[Literal["whole", "damaged", "none"], str]:
    """Whether there is a whole result. A look at its last bytes: it was written at once, and last."""
    from hf_ecg_bench.results.schema import PREDICTIONS_FILE, RESULT_FILE

    try:
        with open(folder / RESULT_FILE, "rb") as handle:
            handle.seek(-min(4, (folder / RESULT_FILE).stat().st_size), 2)
            ends_well = handle.read().rstrip().endswith(b"}")
    except FileNotFoundError:
        return "none", ""
    except OSError as error:
        return "damaged", f"{RESULT_FILE} cannot be read: {error.strerror}"
    if not ends_well:
        return "damaged", f"{RESULT_FILE} is damaged"
    if not (folder / PREDICTIONS_FILE).is_file():
        return "damaged", f"{PREDICTIONS_FILE} is missing"
    return "whole", ""


def _pending(folder: Path, run: RunSpec) -> tuple[str, ...]:
    """Further tests that are asked for and not there."""
    if not (run.evaluate_on or run.perturb):
        return ()
    from hf_ecg_bench.robustness.evaluation_files import (
        EVALUATION_FILE,
        EVALUATIONS,
        PERTURBED,
        is_done,
        read_evaluation,
    )
    from hf_ecg_bench.robustness.perturbations import chosen_perturbations

    settings, place = {"n_resamples": run.n_resamples}, folder / EVALUATIONS
    missing = [
        item.id for item in chosen_perturbations(run.perturb) if not is_done(place / PERTURBED / item.id, settings)
    ]
    there = [read_evaluation(path).get("settings", {}) for path in place.glob(f"*/{EVALUATION_FILE}")]
    for name in run.evaluate_on:
        digest = data_digest(Path(name)) or data_digest(Path(NAMESPACE) / name)
        wanted = [s for s in there if s.get("n_resamples") == run.n_resamples and digest in (None, s.get("digest"))]
        # Data that are not on this machine cannot be compared: as many tests as were asked for is all that is known.
        if not wanted or (digest is None and len(there) < len(run.evaluate_on)):
            missing.append(name)
    return tuple(missing)
