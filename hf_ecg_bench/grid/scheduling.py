"""Which cell next: pure functions of what waits and what runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hf_ecg_bench.grid.plan import Cell


def in_order(cells: Sequence[Cell], seconds: dict[str, float | None]) -> list[Cell]:
    """The longest first, so that none is left running alone at the end; runs that share stored features together.

    A group counts as long as all its runs together and stays in one piece: who comes first computes the features.

    Args:
        seconds: expected for each cell by id; None where nothing is known, which counts as the longest.
    """
    unknown = max((value for value in seconds.values() if value is not None), default=1.0)
    length = {cell.id: (unknown if seconds.get(cell.id) is None else float(seconds[cell.id] or 0)) for cell in cells}
    group: dict[str, float] = {}
    for cell in cells:
        name = cell.store or cell.id
        group[name] = group.get(name, 0.0) + length[cell.id] if cell.store else length[cell.id]
    place = {cell.id: number for number, cell in enumerate(cells)}
    return sorted(
        cells, key=lambda cell: (-group[cell.store or cell.id], cell.store or cell.id, -length[cell.id], place[cell.id])
    )


def next_cell(waiting: Sequence[Cell], running: Collection[Cell], filled: Collection[str]) -> Cell | None:
    """The first that does not compute features which another process is computing just now; else the first.

    Args:
        waiting: in order.
        filled: stores that a finished run has filled.
    """
    busy = {cell.store for cell in running if cell.store is not None} - set(filled)
    free = (cell for cell in waiting if cell.store not in busy)
    # Two that fill one store share its blocks between them: better than a process that waits.
    return next(free, waiting[0] if waiting else None)
