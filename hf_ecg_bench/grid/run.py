"""A grid from its file to its results: plan, what is there, what is left, compute it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import explain_os_errors
from hf_ecg_bench.grid.estimates import Estimate, estimate_cells
from hf_ecg_bench.grid.folder import STALE, run_folder, write_plan
from hf_ecg_bench.grid.inputs import local_inputs
from hf_ecg_bench.grid.payload import to_json
from hf_ecg_bench.grid.plan import Cell, Plan, expand
from hf_ecg_bench.grid.spec import Executor, GridSpec
from hf_ecg_bench.grid.survey import Seen, failure_identity, look

_LOCK = ".grid.lock"
_LOOK = 1.0  # seconds


@dataclass(frozen=True)
class Situation:
    """A grid and what there is of it.

    Attributes:
        folder: of the grid.
        plan: its cells.
        inputs: digests of what they read, by cell.
        seen: every cell as the files show it, in the plan's order.
    """

    folder: Path
    plan: Plan
    inputs: dict[str, dict[str, Any]]
    seen: tuple[Seen, ...]

    def again(self) -> Situation:
        """The same grid as it is now."""
        return replace(self, seen=survey(self.folder, self.plan, self.inputs))


def survey(folder: Path, plan: Plan, inputs: dict[str, dict[str, Any]]) -> tuple[Seen, ...]:
    """Every cell as the files show it now."""
    now = time.time()
    return tuple(look(folder, cell, inputs[cell.id], now) for cell in plan.cells)


def plan_grid(grid: GridSpec, output_dir: Path) -> Situation:
    """What the grid comes to and what there is of it; writes nothing.

    Raises:
        GridFileError: see `plan.expand`.
    """
    folder = output_dir.absolute()
    plan = expand(grid, folder)
    inputs = local_inputs(plan.cells)
    return Situation(folder, plan, inputs, survey(folder, plan, inputs))


def to_compute(seen: Sequence[Seen], *, retry_failed: bool) -> list[Cell]:
    """The cells that a start computes."""
    wanted = ("missing", "failed") if retry_failed else ("missing",)
    return [item.cell for item in seen if item.state.state in wanted]


def set_stale_aside(situation: Situation) -> Situation:
    """Move stale runs into a folder of their own, so that they are computed again. Nothing is deleted."""
    when = time.strftime("%Y%m%d-%H%M%S")
    with _only_one(situation.folder):
        for item in situation.again().seen:
            if item.state.state == "stale":
                target = situation.folder / STALE / when / item.cell.id
                with explain_os_errors(target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    run_folder(situation.folder, item.cell.id).rename(target)
    return situation.again()


def compute(
    situation: Situation,
    executor: Executor,
    ended: Callable[[Seen, float, int], None],
    *,
    command: str,
    retry_failed: bool = False,
    wait: bool = True,
) -> Situation:
    """Compute what is missing.

    Args:
        ended: called after each cell, with the seconds of its process and how many are left.
        command: the command line of the grid, for the results.
        retry_failed: whether failed cells are tried again.
        wait: for SLURM's jobs; the processes of this machine end with this one.

    Returns:
        The grid as it is afterwards.

    Raises:
        EcgBenchError: another process works on the grid; SLURM refused the jobs.
    """
    folder = situation.folder
    with _only_one(folder):
        write_plan(folder, situation.plan, situation.inputs, command)
        situation = situation.again()
        left = to_compute(situation.seen, retry_failed=retry_failed)

        def order(cell: Cell) -> dict[str, Any]:
            return {
                "grid": str(folder),
                "cell": cell.id,
                "run": to_json(cell.run),
                "identity": failure_identity(cell, situation.inputs[cell.id]),
                "command": command,
            }

        remaining = len(left)

        def tell(cell: Cell, seconds: float) -> None:
            nonlocal remaining
            remaining -= 1
            ended(look(folder, cell, situation.inputs[cell.id]), seconds, remaining)

        if executor.kind == "slurm":
            from hf_ecg_bench.grid.slurm import compute_on_slurm

            compute_on_slurm(
                situation.seen, left, executor.slurm, order, tell, grid=folder, wait=wait,
                look=lambda cell: look(folder, cell, situation.inputs[cell.id]),
            )  # fmt: skip
        else:
            tried: set[str] = set()
            while left or _others_at_work(situation, tried):
                if left:
                    _compute_here(situation, left, executor, order, tell)
                    tried |= {cell.id for cell in left}
                else:
                    time.sleep(_LOOK)
                situation = situation.again()
                left = [c for c in to_compute(situation.seen, retry_failed=retry_failed) if c.id not in tried]
                remaining = len(left)
    return situation.again()


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Keep a second start of the same grid out."""
    with explain_os_errors(folder / _LOCK):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise EcgBenchError(
                f"another `grid` works on {folder}", fix=f"hf-ecg-bench status {folder} --watch"
            ) from error
    try:
        yield
    finally:
        lock.release()


def _others_at_work(situation: Situation, tried: set[str]) -> bool:
    """Whether a cell is computed by a process that is not this grid's: one that ends after a kill, another machine."""
    return any(item.state.state == "running" and item.cell.id not in tried for item in situation.seen)


def _compute_here(
    situation: Situation, left: list[Cell], executor: Executor, order: Any, tell: Callable[[Cell, float], None]
) -> None:
    from hf_ecg_bench.grid import machine
    from hf_ecg_bench.grid.local import compute_locally
    from hf_ecg_bench.grid.scheduling import in_order

    estimates: dict[str, Estimate] = estimate_cells(situation.seen)
    ordered = in_order(left, {name: item.seconds for name, item in estimates.items()})
    wanted = min(executor.workers, len(left)) if executor.workers else 0
    workers = machine.make_workers(wanted, machine.cores(), machine.accelerators(), machine.user_threads())[: len(left)]
    filled = [item.cell.store for item in situation.seen if item.state.state == "done" and item.cell.store]
    compute_locally(ordered, workers, order, tell, grid=situation.folder, filled=filled)
