"""How often the recommendation is right, where the right answer is known but kept back.

`dataset`: each dataset in turn is taken out, with all its tasks, and these are predicted: a new dataset. `task`: only
the task is taken out: other label sets of the same records stay, so this is the easier question. `half`: of the task
half of the candidates' results stay, drawn at random, and all candidates are predicted: a started comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.candidate import Candidate, candidate_of
from hf_ecg_bench.selecting.evidence import usable
from hf_ecg_bench.selecting.outlook import Outlook, outlook
from hf_ecg_bench.selecting.scale import kind_of, to_scale
from hf_ecg_bench.selecting.sureness import Sureness, sureness

Floats = NDArray[np.float64]


Leave = Literal["dataset", "task", "half"]


@dataclass(frozen=True, eq=False)
class Held:
    """A task that was predicted without its dataset.

    Attributes:
        task, dataset, kind: which; of kind `mae` the regrets are in training SDs.
        picked, best, overall: candidates: recommended, best in truth, of best mean rank on the other datasets.
        hit, hit_top3, overall_hit, overall_top3: whether the best is the first, or among the first three.
        regret, overall_regret, random_regret: what the pick lacks to the best; the mean over all picks.
        chance: the probability of being best that was given to the pick.
        sure: how sure the recommendation was.
        within_80, within_95: share of the candidates inside their predictive interval, for differences from their mean
            (the order needs no more) and `level_80`, `level_95` for the scores themselves.
    """

    task: str
    dataset: str
    kind: str
    picked: str
    best: str
    overall: str
    hit: bool
    hit_top3: bool
    overall_hit: bool
    overall_top3: bool
    regret: float
    overall_regret: float
    random_regret: float
    chance: float
    sure: Sureness
    within_80: float
    within_95: float
    level_80: float
    level_95: float


def backtest(rows: Sequence[Row], leave: Leave = "dataset", *, seed: int = 0) -> list[Held]:
    """Predict every task with at least three candidates, without what is to be left out.

    Only rows that the recommendation itself would trust are predicted: flagged and contaminated ones are no truth.
    """
    kept, _ = usable([row for row in rows if row.fraction == 1], "")
    random = np.random.default_rng(seed)
    result = []
    for dataset in dict.fromkeys(row.dataset for row in kept):
        own = [row for row in kept if row.dataset == dataset]
        # Ours and published values of a task may be of other test records: each is a truth of its own.
        for task, origin in dict.fromkeys((row.task, row.origin) for row in own):
            truth = _truth([row for row in own if (row.task, row.origin) == (task, origin)])
            others = _left(kept, leave, dataset, task, tuple(truth), random)
            if len(truth) >= 3 and others:
                category = next(row.category for row in own if row.task == task)
                kind = kind_of(next(row.metric for row in own if row.task == task))
                seen = outlook(others, task, dataset, category, kind, tuple(truth), seed=seed)
                if seen is not None:
                    result.append(_held(task, dataset, kind, truth, seen, others))
    return result


def _left(
    rows: Sequence[Row],
    leave: Leave,
    dataset: str,
    task: str,
    candidates: Sequence[Candidate],
    random: np.random.Generator,
) -> list[Row]:
    if leave == "dataset":
        return [row for row in rows if row.dataset != dataset]
    known = set()
    if leave == "half":
        known = {candidates[i] for i in random.permutation(len(candidates))[: len(candidates) // 2]}
    return [row for row in rows if row.task != task or candidate_of(row) in known]


def _truth(rows: Sequence[Row]) -> dict[Candidate, float]:
    values: dict[Candidate, list[float]] = {}
    for row in rows:
        values.setdefault(candidate_of(row), []).append(row.value if row.higher_is_better else -row.value)
    return {who: float(np.mean(own)) for who, own in values.items()}


def _held(
    task: str, dataset: str, kind: str, truth: dict[Candidate, float], seen: Outlook, others: Sequence[Row]
) -> Held:
    real = np.array([truth[who] for who in seen.candidates])
    best = int(real.argmax())
    ranks = mean_ranks(others, seen.candidates)
    overall = np.argsort(ranks, kind="stable")
    values = real if kind == "auroc" else -real
    latent = to_scale(values, kind)
    return Held(
        task, dataset, kind, seen.candidates[0].key, seen.candidates[best].key, seen.candidates[overall[0]].key,
        best == 0, best < 3, best == overall[0], best in overall[:3].tolist(),
        float(real[best] - real[0]), float(real[best] - real[overall[0]]), float((real[best] - real).mean()),
        float(seen.chance[0]), sureness(seen, kind).level,
        *(_inside(seen.relative_draws(), latent - latent.mean(), share) for share in (0.8, 0.95)),
        *(_inside(seen.draws, latent, share) for share in (0.8, 0.95)),
    )  # fmt: skip


def _inside(draws: Floats, values: Floats, share: float) -> float:
    low, high = np.quantile(draws, [(1 - share) / 2, (1 + share) / 2], axis=0)
    return float(((values >= low) & (values <= high)).mean())


def mean_ranks(rows: Sequence[Row], candidates: Sequence[Candidate]) -> Floats:
    """(k,) mean rank over the tasks (as a share of those ranked there); 1 where there is none."""
    tasks: dict[tuple[str, str], dict[Candidate, float]] = {}
    for own in dict.fromkeys((row.task, row.origin) for row in rows):
        tasks[own] = _truth([row for row in rows if (row.task, row.origin) == own])
    result = np.ones(len(candidates))
    for place, who in enumerate(candidates):
        ranks = [sum(v > found[who] for v in found.values()) / len(found) for found in tasks.values() if who in found]
        if ranks:
            result[place] = float(np.mean(ranks))
    return result
