"""The order over many tasks as plain values, for JSON."""

from __future__ import annotations

from typing import Any

from hf_ecg_bench.standings.overall import OverallStanding

_FLOATS = (
    *("mean_rank", "rank_low", "rank_high", "dataset_low", "dataset_high", "median_rank", "win_rate"),
    *("skill", "skill_low", "skill_high"),
)
_COUNTS = ("group", "missing", "hidden", "imputed")


def entry_numbers(overall: OverallStanding) -> list[dict[str, Any]]:
    """One flat object per entry, best first, unrounded; values, ranks and mean ranks by task and category inside."""
    return [
        {
            "entry": entry.key,
            **vars(entry),
            **{name: int(getattr(overall, name)[i]) for name in _COUNTS},
            **{name: float(getattr(overall, name)[i]) for name in _FLOATS},
            "values": dict(zip(overall.tasks, overall.values[i].tolist(), strict=True)),
            "ranks": dict(zip(overall.tasks, overall.ranks[i].tolist(), strict=True)),
            "category_rank": {name: float(ranks[i]) for name, ranks in overall.category_rank.items()},
        }
        for i, entry in enumerate(overall.entries)
    ]


def order_numbers(overall: OverallStanding) -> dict[str, Any]:
    """The order with what it rests on."""
    return {
        "tasks": list(overall.tasks),
        "policy": overall.policy,
        "rule": overall.rule,
        "baseline": overall.baseline,
        "entries": entry_numbers(overall),
        "friedman": dict(overall.friedman),
        "notes": list(overall.notes),
    }
