"""Progress of cells that are running, from the files alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.grid.estimates import Estimate
from hf_ecg_bench.grid.folder import LOG, cell_folder
from hf_ecg_bench.grid.logs import epochs_of, read_end, since_last_start
from hf_ecg_bench.grid.survey import Seen


@dataclass(frozen=True)
class Progress:
    """How far a running cell is. Seconds; None where nothing can be said."""

    epoch: int | None
    epochs: int | None
    elapsed: float
    left: float | None


def progress_of(log: str, elapsed: float, estimate: float | None) -> Progress:
    """How far a run is by its log since its last start.

    Args:
        log: text of the log, or its end.
        elapsed: seconds since that start.
        estimate: of the whole run in seconds, used before the second epoch has ended.
    """
    now = epochs_of(since_last_start(log))
    left = None if estimate is None else max(0.0, estimate - elapsed)
    if not now:
        return Progress(None, None, elapsed, left)
    first, (last, of) = now[0][0], now[-1]
    done = last - first + 1
    if done > 1 and last < of:
        left = elapsed / done * (of - last)
    return Progress(last, of, elapsed, 0.0 if last >= of else left)


def running(grid: Path, seen: Sequence[Seen], estimates: Mapping[str, Estimate]) -> dict[str, Progress]:
    """Progress of the running cells, by id."""
    found = {}
    for item in seen:
        if item.state.state == "running" and item.claim is not None:
            expected = estimates.get(item.cell.id)
            text = read_end(cell_folder(grid, item.cell.id) / LOG)
            elapsed = max(0.0, time.time() - item.claim.started)
            found[item.cell.id] = progress_of(text, elapsed, expected.seconds if expected else None)
    return found
