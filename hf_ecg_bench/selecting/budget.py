"""What a candidate costs, as far as it is known, and whether that is within a budget."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.errors import EcgBenchError, unknown_name
from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.candidate import Candidate, candidate_of

#: What can be limited -> field of a row.
COSTS = {
    "seconds": "train_seconds",
    "parameters": "parameters",
    "trainable_parameters": "trainable_parameters",
    "latency_ms": "latency_ms",
    "memory_gb": "peak_memory_bytes",
}
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_FIX = "--budget 3600, --budget 2h, or --budget parameters=1e7,latency_ms=5"


@dataclass(frozen=True)
class Cost:
    """Median over runs; `runs` is 0 where it is declared, not measured, or unknown (NaN)."""

    value: float
    runs: int


def parse_budget(text: str | None) -> dict[str, float]:
    """`3600`, `2h`, `parameters=1e7,latency_ms=5` as limits by name; seconds are of training.

    Raises:
        EcgBenchError: a name that is no cost, or a value that is no number above 0.
    """
    limits: dict[str, float] = {}
    for part in filter(None, (text or "").split(",")):
        name, equals, value = part.strip().rpartition("=")
        name = name.strip() if equals else "seconds"
        if name not in COSTS:
            raise unknown_name("cost", name, COSTS, fix=_FIX)
        match = re.fullmatch(r"([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-z]*)", value.strip().lower())
        unit = (
            _UNITS.get(match[2])
            if match and match[2] and name == "seconds"
            else 1.0
            if match and not match[2]
            else None
        )
        try:
            number = float(match[1]) * unit if match and unit is not None else math.nan
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            raise EcgBenchError(f"--budget {part!r}: expected a number above 0", fix=_FIX)
        limits[name] = number
    return limits


def known_costs(rows: Sequence[Row], task: str, records: float) -> dict[Candidate, dict[str, Cost]]:
    """Costs by candidate: medians of our runs, those on this task where there are any.

    Seconds of training are scaled to the number of records (NaN: as they are).
    """
    by: dict[Candidate, list[Row]] = defaultdict(list)
    for row in rows:
        if row.origin == "ours":
            by[candidate_of(row)].append(row)
    found: dict[Candidate, dict[str, Cost]] = {}
    for who, own in by.items():
        here = [row for row in own if row.task == task] or own
        found[who] = {name: _median([_cost(row, name, records) for row in here]) for name in COSTS}
    return found


def costs_of(who: Candidate, known: dict[Candidate, dict[str, Cost]]) -> dict[str, Cost]:
    """Measured where it was run; else the parameters that are declared for the backbone."""
    if who in known:
        return known[who]
    declared = float(get_model_spec(who.model).parameters) if who.model in MODELS else math.nan
    return {name: Cost(declared if name == "parameters" else math.nan, 0) for name in COSTS}


def over_budget(costs: dict[str, Cost], limits: dict[str, float]) -> tuple[list[str], list[str]]:
    """Names of the costs above their limits, and of those that are not known."""
    over = [name for name, limit in limits.items() if costs[name].value > limit]
    return over, [name for name in limits if math.isnan(costs[name].value)]


def _cost(row: Row, name: str, records: float) -> float:
    value = float(getattr(row, COSTS[name]))
    if name == "memory_gb":
        return value / 1e9
    if name == "seconds" and records > 0 and row.records_train > 0:
        return value * records / row.records_train
    return value


def _median(values: list[float]) -> Cost:
    known = [value for value in values if math.isfinite(value)]
    return Cost(float(np.median(known)), len(known)) if known else Cost(math.nan, 0)
