"""What an entry's runs cost, as one number."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from hf_ecg_bench.results.row import Row


def median_cost(rows: Iterable[Row], field: str) -> float:
    """The median over trained tasks of the mean over seeds of what is known; NaN where nothing is.

    A joint run counts once, however many of its parts are among the rows.

    Args:
        rows: of one entry.
        field: a cost of `Row`, for example `train_seconds`.
    """
    runs: dict[str, dict[tuple[int, str], float]] = defaultdict(dict)
    for row in rows:
        value = float(getattr(row, field))
        if math.isfinite(value):
            runs[row.trained_as or row.task][row.seed, row.folder] = value
    return float(np.median([np.mean(list(values.values())) for values in runs.values()])) if runs else math.nan
