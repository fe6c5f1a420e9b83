"""A recommendation and a backtest as JSON values and as lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hf_ecg_bench.selecting.backtest import Held
from hf_ecg_bench.selecting.recommend import Ranked, Recommendation

_NUMBERS = (
    *("hit", "hit_top3", "overall_hit", "overall_top3", "regret", "overall_regret", "random_regret", "chance"),
    *("within_80", "within_95", "level_80", "level_95"),
)


def as_json(found: Recommendation) -> dict[str, Any]:
    """Everything; `pick` is null where there is too little to say."""
    pick = found.pick
    return {
        "task": found.task,
        "metric": found.kind,
        "records": found.records,
        "pick": {"model": pick.candidate.model, "mode": pick.candidate.mode} if pick else None,
        "sure": asdict(found.sure),
        "ranked": [{**asdict(item.candidate), **_without_candidate(item)} for item in found.ranked],
        "unknown": [asdict(who) for who in found.unknown],
        "transferability": [asdict(score) for score in found.scores],
        "agreement": agreement(found),
        "not_scored": [asdict(item) for item in found.not_scored],
        "probe_worth": asdict(found.worth) if found.worth else None,
        "left_out": found.left_out,
        "notes": list(found.notes),
    }


def _without_candidate(item: Ranked) -> dict[str, Any]:
    values = asdict(item)
    values.pop("candidate")
    return values


def agreement(found: Recommendation) -> dict[str, float]:
    """Kendall's rank correlation of each score with the probe, over the scored models; empty below three."""
    from scipy.stats import kendalltau

    if len(found.scores) < 3:
        return {}
    sign = 1 if found.kind == "auroc" else -1
    probes = [sign * score.probe for score in found.scores]
    others = {
        "neighbours": [sign * score.neighbours for score in found.scores],
        "logme": [score.logme for score in found.scores],
        "h_score": [score.h_score for score in found.scores],
    }
    return {name: float(kendalltau(probes, values).statistic) for name, values in others.items()}


def summary(held: Sequence[Held]) -> dict[str, Any]:
    """Means over tasks, means over datasets of their tasks' means, and hits and regrets by how sure it was.

    Regrets of tasks scored by an error are in training SDs, of the others in AUROC; they are averaged apart.
    """
    datasets = {item.dataset for item in held}
    kinds = sorted({item.kind for item in held})
    return {
        "tasks": {"n": len(held), **_means(held)},
        "datasets": {
            "n": len(datasets),
            **{
                name: float(np.mean([_means([h for h in held if h.dataset == own])[name] for own in datasets]))
                for name in _NUMBERS
            },
        },
        "kinds": {
            kind: {"n": len(own), **_means(own)}
            for kind in kinds
            if (own := [item for item in held if item.kind == kind])
        },
        "sure": {
            level: {"n": len(own), "hit": _means(own)["hit"], "regret": _means(own)["regret"]}
            for level in ("high", "medium", "low", "too little to say")
            if (own := [item for item in held if item.sure == level])
        },
    }


def _means(held: Sequence[Held]) -> dict[str, float]:
    return {name: float(np.mean([getattr(item, name) for item in held])) for name in _NUMBERS}
