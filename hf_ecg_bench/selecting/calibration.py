"""What a probe of features is worth as evidence: how far it was from the results of mode linear on other tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.candidate import Candidate, candidate_of
from hf_ecg_bench.selecting.evidence import Cell
from hf_ecg_bench.selecting.scale import kind_of, to_scale
from hf_ecg_bench.selecting.scoring import Scores

#: On the common scale, where nothing has been measured yet: about 0.01 AUROC at 0.92.
_ASSUMED_SD, _LEAST_SD = 0.10, 0.03
_FEWEST_TASKS = 3


@dataclass(frozen=True)
class Calibration:
    """SD of a probe around the result of mode linear, within a task; `tasks` it was measured on (0: assumed)."""

    sd: float
    tasks: int


def calibrate(scores: Sequence[Scores], rows: Sequence[Row], asked: str) -> Calibration:
    """From tasks other than the asked one with a probe and a linear result of at least two models each."""
    results: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row.mode == "linear" and row.origin == "ours" and row.task != asked and row.fraction == 1:
            own = to_scale(row.value, kind_of(row.metric)).item() if kind_of(row.metric) else np.nan
            results[row.task, candidate_of(row).model].append(own)
    gaps: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        real = results.get((score.task, score.model))
        if real:
            gaps[score.task].append(float(to_scale(score.probe, score.kind)) - float(np.mean(real)))
    squares = [((np.array(own) - np.mean(own)) ** 2).sum() for own in gaps.values() if len(own) >= 2]
    freedom = sum(len(own) - 1 for own in gaps.values() if len(own) >= 2)
    if len(squares) < _FEWEST_TASKS:
        return Calibration(_ASSUMED_SD, 0)
    return Calibration(max(_LEAST_SD, float(np.sqrt(np.sum(squares) / freedom))), len(squares))


def probe_cells(scores: Sequence[Scores], dataset: str, category: str, worth: Calibration) -> list[Cell]:
    """The probes as observations of mode linear, in a block of their own: only their differences count."""
    return [
        Cell(
            Candidate(score.model, "linear"), f"probe {score.task}", dataset, category, True,
            float(to_scale(score.probe, score.kind)), 1, worth.sd**2, "probe",
        )
        for score in scores
    ]  # fmt: skip
