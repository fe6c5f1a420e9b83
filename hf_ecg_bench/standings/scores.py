"""The scores of all entries on one task, on shared resamples of its test patients."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.results.row import ContaminationState, Row
from hf_ecg_bench.standings.entry import Entry

#: Why a run is left out: it cannot be compared with others, it is no seed of the training that counts, or the same
#: run is there already.
Kind = Literal["unusable", "settings", "copy"]


@dataclass(frozen=True)
class Excluded:
    """A run whose row is left out of a task's ranking, and why. `name`: its folder, or entry and seed."""

    entry: Entry
    name: str
    reason: str
    kind: Kind = "unusable"


@dataclass(frozen=True, eq=False)
class TargetScores:
    """Every target of a task for every entry; NaN where an entry has no predictions.

    Attributes:
        names, kinds: (t,) `binary` targets are scored by AUROC, `regression` ones by MAE.
        n, n_positive: (t,) test records with a value; positives among them, NaN for numbers.
        value, low, high: (k, t), seeds averaged, 95 % interval over shared resamples.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    n: NDArray[np.float64]
    n_positive: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TaskScores:
    """Values of k entries. Seeds of an entry are averaged, per resample as well.

    Attributes:
        task, metric, higher_is_better: what was scored.
        entries: (k,) in a fixed order; `rows`: the rows of each.
        value, low, high: (k,) mean over seeds, its 95 % interval over resampled patients (as stored, where there are
            no predictions).
        seed_sd: (k,) SD over seeds, NaN for one; `n_seeds`: (k,).
        samples: (k, resamples) the value in every shared resample; NaN where an entry has no predictions here.
        contamination: (k,) the worst state of its rows.
        n_records, unit: test records, and what was resampled (`patient`, `record`; empty without any predictions).
        targets: the same per target; None without any predictions.
        excluded: runs that are not among the rows, and why: other test records, another metric.
        notes: what else a reader must know.
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
    n_records: int = 0
    unit: str = ""
    targets: TargetScores | None = None
    excluded: tuple[Excluded, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def tested(self) -> NDArray[np.bool_]:
        """(k,) whether an entry has resampled values, so that its differences can be tested."""
        return np.asarray((~np.isnan(self.samples)).any(axis=1), dtype=bool)

    def of(self, entries: Collection[Entry]) -> TaskScores:
        """These entries alone, in their order here; exclusions of the others go with them."""
        keep = [i for i, entry in enumerate(self.entries) if entry in entries]
        targets = self.targets
        if targets is not None:
            kept = {name: getattr(targets, name)[keep] for name in ("value", "low", "high")}
            targets = replace(targets, **kept)
        arrays = ("value", "low", "high", "seed_sd", "n_seeds", "samples")
        return replace(
            self,
            entries=tuple(self.entries[i] for i in keep),
            rows=tuple(self.rows[i] for i in keep),
            contamination=tuple(self.contamination[i] for i in keep),
            targets=targets,
            excluded=tuple(item for item in self.excluded if item.entry in entries),
            **{name: getattr(self, name)[keep] for name in arrays},
        )
