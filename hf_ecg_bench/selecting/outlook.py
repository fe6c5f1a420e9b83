"""What is to be expected of each candidate on a task: draws of its scores, the chance to be best, the regret."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.candidate import Candidate
from hf_ecg_bench.selecting.evidence import PER_SEED, Cell, Evidence, gather
from hf_ecg_bench.selecting.profile import Fit, fit, predict
from hf_ecg_bench.selecting.scale import from_scale

Floats = NDArray[np.float64]

_DRAWS = 4000
_UNKNOWN_SD = 0.6  # of a task's level on the common scale where no similar one is known
_LEAST_SD = 0.15  # two similar tasks that happen to agree do not make a third one known


@dataclass(frozen=True, eq=False)
class Outlook:
    """k candidates, best expected score first.

    Attributes:
        dataset: of the task.
        candidates: (k,).
        draws: (draws, k) values that a run may give, on the common scale.
        scores: (draws, k) the same in units of the metric; less is better where it is an error.
        chance: (k,) of being the best in truth.
        regret: (k,) expected loss to the best, in units of the metric, above 0.
        evidence: what it rests on; `model` fitted to it.
        level_known: whether the level of the scores comes from the task itself.
    """

    dataset: str
    candidates: tuple[Candidate, ...]
    draws: Floats
    scores: Floats
    chance: Floats
    regret: Floats
    evidence: Evidence
    model: Fit
    level_known: bool

    def relative_draws(self) -> Floats:
        """The draws less their mean over the candidates: what the order rests on."""
        return np.asarray(self.draws - self.draws.mean(1, keepdims=True))


def outlook(
    rows: Sequence[Row],
    task: str,
    dataset: str,
    category: str,
    kind: str,
    candidates: Sequence[Candidate],
    *,
    records: float = math.nan,
    probes: Sequence[Cell] = (),
    seed: int = 0,
) -> Outlook | None:
    """Predict the candidates on a task; None where nothing is known about anybody.

    Args:
        rows: of results, on any task.
        kind: of the task's metric, see `scale.kind_of`.
        records: training records there are; NaN: all of the dataset.
        probes: what transferability scores say about the task.
        seed: of the draws.
    """
    evidence = gather(rows, task, records)
    cells = (*evidence.cells, *probes)
    if len(cells) < 2 or not candidates:
        return None
    model = fit(cells, task_variance=evidence.task_variance)
    block = _block(evidence.cells, records)
    asked = [Cell(who, block or "new", dataset, category, True, 0.0, 1, 0.0, "ours") for who in candidates]
    level, level_sd = _level(evidence, category, kind)
    found = predict(model, asked, level=level, level_sd=level_sd)
    random = np.random.default_rng(seed)
    true = random.multivariate_normal(found.mean, found.covariance, _DRAWS, check_valid="ignore", method="eigh")
    scores = from_scale(true, kind)
    better = scores if kind == "auroc" else -scores
    order = np.argsort(-found.mean, kind="stable")
    best = better.max(1, keepdims=True)
    chance = (better == best).mean(0)
    noisy = true + PER_SEED * random.standard_normal(true.shape)
    return Outlook(
        dataset, tuple(candidates[place] for place in order),
        noisy[:, order], from_scale(noisy, kind)[:, order], chance[order],
        (best - better).mean(0)[order], evidence, model, block is not None,
    )  # fmt: skip


def _block(cells: Sequence[Cell], records: float) -> str | None:
    """The asked task's block whose level is to be predicted: ours before published, the nearest size first."""
    blocks = {cell.block: cell for cell in cells if cell.asked}

    def distance(name: str) -> tuple[float, bool]:
        size = float(name.rsplit(" ", 1)[1])
        away = abs(math.log2(size / records)) if size > 0 and records > 0 else 0.0 if math.isnan(records) else 99.0
        return (-size if math.isnan(records) else away, blocks[name].origin != "ours")

    return min(blocks, key=distance) if blocks else None


def _level(evidence: Evidence, category: str, kind: str) -> tuple[float, float]:
    """Mean and SD of the level of a new task: as those of its category, else as all with this metric."""
    for close in (True, False):
        by_dataset: dict[str, list[float]] = {}
        for own, dataset, metric, level in evidence.levels:
            if metric == kind and (own == category or not close):
                by_dataset.setdefault(dataset, []).append(level)
        means = [float(np.mean(levels)) for levels in by_dataset.values()]
        if len(means) >= 3:
            return float(np.mean(means)), max(_LEAST_SD, float(np.std(means, ddof=1)) * math.sqrt(1 + 1 / len(means)))
    everything = [level for _, _, metric, level in evidence.levels if metric == kind]
    return (float(np.mean(everything)) if everything else 1.0 if kind == "auroc" else -1.8), _UNKNOWN_SD
