"""The scores of all entries on one task, on shared resamples of its test patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.results.row import ContaminationState, Row
from hf_ecg_bench.standings.entry import Entry


@dataclass(frozen=True, eq=False)
class TaskScores:
    """Values of k entries. Seeds of an entry are averaged, per resample as well.

    Attributes:
        task, metric, higher_is_better: what was scored.
        entries: (k,) in a fixed order; `rows`: the rows of each.
        value, low, high: (k,) mean over seeds, its 95 % interval over resampled patients (as published, where so).
        seed_sd: (k,) SD over seeds, NaN for one; `n_seeds`: (k,).
        samples: (k, resamples) the value in every shared resample; NaN where an entry has no predictions here.
        contamination: (k,) the worst state of its rows.
    """

    task: str
    metric: str
    higher_is_better: bool
    entries: tuple[Entry, ...]
    rows: tuple[tuple[Row, ...], ...]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    seed_sd: NDArray[np.float64]
    n_seeds: NDArray[np.int64]
    samples: NDArray[np.float64]
    contamination: tuple[ContaminationState, ...]
