"""Cells as SLURM jobs, through submitit: arrays of jobs, each of which computes cells as ordinary runs.

Three arrays at most: runs that are the first to read stored features, runs that store none, and, when the first array
has ended, the runs that read what it stored. Which job computes which cell stands in `slurm/jobs.json`; a cell that
waits has a claim without a process. What is finished is told by the files alone, SLURM is asked which jobs there are.
"""

from __future__ import annotations

import getpass
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError, first_line
from hf_ecg_bench.files import write_json
from hf_ecg_bench.grid.claims import is_queued, read_claim, write_queued
from hf_ecg_bench.grid.command import command_of
from hf_ecg_bench.grid.failures import Failure, write_failure
from hf_ecg_bench.grid.folder import CLAIM, SLURM, cell_folder
from hf_ecg_bench.grid.jobs import CellJob
from hf_ecg_bench.grid.plan import Cell
from hf_ecg_bench.grid.spec import Slurm
from hf_ecg_bench.grid.survey import Seen

Order = Callable[[Cell], dict[str, Any]]
_JOBS = "jobs.json"
_NAME = "hf-ecg-bench"
_LIMITS = 1000  # how often a job may reach its time limit and be queued again
_PATIENCE = 60.0  # seconds for an answer of SLURM
POLL = 10.0  # seconds between looks
# A job that is not listed any more may still be writing; after so many looks it is gone.
_LOOKS = 3


def submit(
    cells: Sequence[Cell], options: Slurm, order: Order, grid: Path, *, cluster: str = "slurm"
) -> dict[str, Any]:
    """Ask SLURM for the cells; returns submitit's job by cell id.

    Args:
        cluster: submitit's name of what executes; other than `slurm` for trying it out.

    Raises:
        EcgBenchError: submitit is not installed, this machine is no part of a cluster, or sbatch refused.
    """
    for cell in cells:  # before there is a job, which would replace it by its own
        write_queued(cell_folder(grid, cell.id), "submitted")
    first, alone, later = arrays(cells)
    jobs: dict[str, Any] = {}
    try:
        leaders = _submit(first, options, order, grid, cluster, {})
        jobs |= leaders | _submit(alone, options, order, grid, cluster, {})
        numbers = sorted({str(job.job_id).split("_")[0] for job in leaders.values()})
        after = {"slurm_dependency": "afterany:" + ":".join(numbers)} if numbers else {}
        jobs |= _submit(later, options, order, grid, cluster, after)
    except BaseException:
        for cell in cells:
            if cell.id not in jobs:
                (cell_folder(grid, cell.id) / CLAIM).unlink(missing_ok=True)
        raise
    finally:
        write_jobs(grid, {**read_jobs(grid), **{name: str(job.job_id) for name, job in jobs.items()}})
    return jobs


def arrays(cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell], list[Cell]]:
    """The first of each set of stored features that several read, those that share none, and the others."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.store is not None:
            groups.setdefault(cell.store, []).append(cell)
    shared = [group for group in groups.values() if len(group) > 1]
    first = [group[0] for group in shared]
    later = [cell for group in shared for cell in group[1:]]
    with_others = {cell.id for group in shared for cell in group}
    return first, [cell for cell in cells if cell.id not in with_others], later


def sbatch_options(options: Slurm) -> dict[str, Any]:
    """The options as submitit names them; what is None is left to the cluster."""
    named = {
        "name": _NAME,
        "timeout_min": options.minutes,
        "mem_gb": options.memory_gb,
        "cpus_per_task": options.cpus,
        "gpus_per_node": options.gpus,
        "slurm_partition": options.partition,
        "slurm_account": options.account,
        "slurm_qos": options.qos,
        "slurm_constraint": options.constraint,
        "slurm_array_parallelism": options.parallel,
        "slurm_setup": list(options.setup) or None,
        "slurm_additional_parameters": dict(options.extra) or None,
    }
    return {name: value for name, value in named.items() if value is not None}


def _submit(
    cells: Sequence[Cell], options: Slurm, order: Order, grid: Path, cluster: str, further: dict[str, Any]
) -> dict[str, Any]:
    if not cells:
        return {}
    try:
        import submitit
    except ImportError as error:
        raise EcgBenchError("SLURM is used through submitit, which is not installed", fix="pip install submitit") from (
            error
        )
    size = options.cells_per_job
    bundles = [list(cells[start : start + size]) for start in range(0, len(cells), size)]
    try:
        limits = {"slurm_max_num_timeout": _LIMITS} if cluster == "slurm" else {}
        executor = submitit.AutoExecutor(folder=grid / SLURM / "%j", cluster=cluster, **limits)
        executor.update_parameters(**sbatch_options(options), **further)
        jobs = executor.map_array(CellJob(), [[order(cell) for cell in bundle] for bundle in bundles])
    except (RuntimeError, ValueError, OSError, subprocess.SubprocessError) as error:
        raise EcgBenchError(
            f"SLURM takes no jobs: {first_line(error)}",
            fix="start it where sbatch and srun work, see `executor:` in the grid file, or --executor local",
        ) from error
    return {cell.id: job for job, bundle in zip(jobs, bundles, strict=True) for cell in bundle}


def compute_on_slurm(
    seen: Sequence[Seen],
    left: Sequence[Cell],
    options: Slurm,
    order: Order,
    ended: Callable[[Cell, float], None],
    *,
    grid: Path,
    look: Callable[[Cell], Seen],
    wait: bool,
) -> None:
    """Submit what is left and is not submitted yet; wait until all jobs are gone, where that is asked for.

    Args:
        seen: all cells; those with a job from an earlier start are waited for, too.
        left: those to compute.
        ended: called for each that has ended, with seconds since now.
        look: reads a cell's files.
    """
    started = time.time()
    there = read_jobs(grid)
    alive = listed_jobs() if there else set()
    cells = {item.cell.id: item.cell for item in seen if item.state.state not in ("done", "failed", "stale")}
    waiting = {name: cell for name, cell in cells.items() if there.get(name) in alive}
    for name, cell in cells.items():
        claim = read_claim(cell_folder(grid, name))
        if name in waiting and claim is None:  # ended early by SLURM and queued again
            write_queued(cell_folder(grid, name), there[name])
        if name not in waiting and claim is not None and is_queued(claim):  # cancelled while it waited
            (cell_folder(grid, name) / CLAIM).unlink(missing_ok=True)
            left = [*left, cell] if cell not in left else left
    new = [cell for cell in left if cell.id not in waiting]
    submit(new, options, order, grid)
    waiting |= {cell.id: cell for cell in new}
    missed: dict[str, int] = {}
    while wait and waiting:
        time.sleep(POLL)
        there, alive = read_jobs(grid), listed_jobs()
        for name, cell in list(waiting.items()):
            item = look(cell)
            finished = item.state.state in ("done", "failed", "stale")
            gone = there.get(name) not in alive and item.state.state != "running"
            missed[name] = missed.get(name, 0) + 1 if gone else 0
            if not finished and missed[name] < _LOOKS:
                continue
            if not finished:
                _lost(grid, cell, there.get(name, ""), order(cell)["identity"])
            del waiting[name]
            ended(cell, time.time() - started)


def listed_jobs() -> set[str]:
    """Ids of the user's jobs that wait or run, those of arrays one by one.

    Raises:
        EcgBenchError: squeue cannot be asked.
    """
    command = ["squeue", "--noheader", "--array", "--format=%i", f"--user={getpass.getuser()}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        raise EcgBenchError(
            f"squeue cannot be asked: {detail.strip()}",
            fix="start it where SLURM's commands work; submitted jobs go on meanwhile",
        ) from error
    found: set[str] = set()
    for name in done.stdout.split():
        found |= {name, name.split("_")[0]}  # a bundle of one cell is no array
    return found


def read_jobs(grid: Path) -> dict[str, str]:
    """The id of the last job of each cell that had one."""
    try:
        value = json.loads((grid / SLURM / _JOBS).read_text(encoding="utf-8"))
        return {str(name): str(job) for name, job in value.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_jobs(grid: Path, jobs: dict[str, str]) -> None:
    """Keep them for a later start."""
    if jobs:
        write_json(grid / SLURM / _JOBS, jobs)


def _lost(grid: Path, cell: Cell, job: str, identity: str) -> None:
    """Note that a job is gone and has said nothing."""
    (cell_folder(grid, cell.id) / CLAIM).unlink(missing_ok=True)
    message = f"SLURM's job {job} is gone without a result (cancelled, or out of memory?)"
    fix = f"see {SLURM}/ in the grid's folder and: sacct -j {job}; then: --retry-failed"
    failure = Failure("JobGone", message, fix, False, time.time(), command_of(cell.run), identity)
    write_failure(cell_folder(grid, cell.id), failure)
