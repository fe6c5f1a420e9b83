"""Cells on this machine: as many processes as workers, each cell in one of its own."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hf_ecg_bench.grid.command import command_of
from hf_ecg_bench.grid.failures import Failure, read_failure, write_failure
from hf_ecg_bench.grid.folder import cell_folder
from hf_ecg_bench.grid.launching import Launcher, LauncherGoneError
from hf_ecg_bench.grid.machine import Worker, shared_environment
from hf_ecg_bench.grid.plan import Cell
from hf_ecg_bench.grid.scheduling import next_cell

Order = Callable[[Cell], dict[str, Any]]
Ended = Callable[[Cell, float], None]
_LOOK = 1.0  # seconds
_STOPPED = (128 + signal.SIGTERM, 128 + signal.SIGINT)
_RESTARTS = 3


def compute_locally(
    cells: Sequence[Cell],
    workers: Sequence[Worker],
    order: Order,
    ended: Ended,
    *,
    grid: Path,
    filled: Sequence[str] = (),
    warm: bool = True,
) -> None:
    """Compute cells in this order; return when all have ended, well or not.

    Args:
        order: what a cell's process is told (see `process.compute`).
        ended: called after each with its seconds.
        filled: stores that finished runs have filled.
        warm: see `Launcher`.
    """
    waiting, full = list(cells), set(filled)
    environment = shared_environment(list(workers))
    for attempt in range(_RESTARTS + 1):
        running: dict[int, tuple[Cell, Worker, float]] = {}
        try:
            with Launcher(environment, warm=warm) as launcher:
                while waiting or running:
                    taken = {worker.number for _, worker, _ in running.values()}
                    for worker in workers:
                        cell = next_cell(waiting, [entry[0] for entry in running.values()], full)
                        if worker.number in taken or cell is None:
                            continue
                        # Taken off after it was started: a launcher that ends meanwhile must not take it along.
                        pid = launcher.start(order(cell), worker.environment())
                        waiting.remove(cell)
                        running[pid] = (cell, worker, time.time())
                    for end in launcher.wait(_LOOK):
                        cell, _, started = running.pop(end.pid)
                        _note(grid, cell, end.code, started, order(cell)["identity"])
                        if end.code == 0 and cell.store is not None:
                            full.add(cell.store)
                        ended(cell, time.time() - started)
            return
        except LauncherGoneError as error:
            # Its cells died with it. Whether one of them was the reason nobody knows: they go on, a few times.
            again = attempt < _RESTARTS
            for cell, _, started in running.values():
                if not again:
                    _write(grid, cell, error.message, order(cell)["identity"])
                    ended(cell, time.time() - started)
            if not again:
                raise
            waiting = [cell for cell, _, _ in running.values()] + waiting


def _note(grid: Path, cell: Cell, code: int, started: float, identity: str) -> None:
    """Write down why a process ended that could not do it itself. One that was asked to end has not failed."""
    if code == 0 or code in _STOPPED or code in (-signal.SIGTERM, -signal.SIGINT):
        return
    failure = read_failure(cell_folder(grid, cell.id))
    if failure is not None and failure.when >= started - 1:
        return
    why = f"its process ended with code {code}" if code > 0 else f"its process was killed by signal {-code}"
    if code == -signal.SIGKILL:
        why += " (out of memory?)"
    _write(grid, cell, why, identity)


def _write(grid: Path, cell: Cell, why: str, identity: str) -> None:
    fix = "see its log; with too little memory fewer --workers, then: --retry-failed"
    failure = Failure("ProcessDied", why, fix, False, time.time(), command_of(cell.run), identity)
    write_failure(cell_folder(grid, cell.id), failure)
