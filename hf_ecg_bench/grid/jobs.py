"""What a SLURM job computes. Imported by the job itself: nothing heavy here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hf_ecg_bench.grid.folder import LOG, cell_folder
from hf_ecg_bench.grid.process import compute, write_to_log


class CellJob:
    """Computes cells one after the other. Where SLURM ends it early, it is queued again and goes on."""

    def __call__(self, orders: list[dict[str, Any]]) -> list[int]:
        """Exit codes of the cells, as `process.compute` gives them."""
        os.environ.setdefault("OMP_NUM_THREADS", os.environ.get("SLURM_CPUS_PER_TASK", str(os.cpu_count() or 1)))
        os.environ["HF_ECG_BENCH_NO_PROGRESS"] = "1"
        codes = []
        for order in orders:
            with _logged(cell_folder(Path(order["grid"]), order["cell"]) / LOG):
                codes.append(compute(order, job_id()))
        return codes

    def checkpoint(self, orders: list[dict[str, Any]]) -> Any:
        """Called by submitit at the time limit and at preemption: the same again; runs know how far they are."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, orders)


def job_id() -> str:
    """Of the SLURM job this is, `123` or `123_4` of an array; empty elsewhere."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID", "")


@contextmanager
def _logged(log: Path) -> Iterator[None]:
    """The block's output goes to the cell's log, as that of a worker's does."""
    kept = [os.dup(number) for number in (1, 2)]
    try:
        write_to_log(log)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, handle in zip((1, 2), kept, strict=True):
            os.dup2(handle, number)
            os.close(handle)
