"""What cells will cost: from cells that are finished, else from counted arithmetic. Each number says where it is from.

From finished cells of the same model and mode: training time grows with records x epochs, features with records, the
rest is as it was. From arithmetic: counted operations at the rate of this grid's finished cells, or of a short matrix
product, of which networks reach a part. Both are in seconds of one worker.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from hf_ecg_bench.grid.effort import Effort, effort_of, on_features
from hf_ecg_bench.grid.plan import Cell
from hf_ecg_bench.grid.survey import Seen
from hf_ecg_bench.training.modes import get_mode

STARTUP = 1.0  # seconds of a cell before its first phase
_NOT_TRAINING = ("load", "test", "fitted", "write")
# By how much the truth may be off, up or down.
_SAME, _COUNTED, _CALIBRATED = 1.5, 3.0, 10.0


@dataclass(frozen=True)
class Spent:
    """What a finished cell has cost. Seconds; `extracted`: whether it computed features; `bytes` of its folder."""

    cell: Cell
    effort: Effort
    train: float
    features: float
    extracted: bool
    rest: float
    flops: float | None
    bytes: int
    store_bytes: int


@dataclass(frozen=True)
class Counted:
    """A model in numbers. flops: of the forward pass of one window; `width`, `tokens`: of its features."""

    flops: float
    window: float
    parameters: int
    width: int
    tokens: int


@dataclass(frozen=True)
class Estimate:
    """Expected cost of a cell.

    Attributes:
        seconds: of one worker; None: nothing is known.
        factor: the truth may be so many times as much, or as little.
        basis: where it comes from.
        bytes: of its folder; store_bytes: of features that it is the first to store.
    """

    seconds: float | None
    factor: float
    basis: str
    bytes: int | None = None
    store_bytes: int | None = None


def estimate_cells(
    seen: Sequence[Seen],
    counted: Mapping[str, Counted] | None = None,
    rate: tuple[float, str] | None = None,
) -> dict[str, Estimate]:
    """An estimate for every cell that is not done, by id; reads the finished ones.

    Args:
        counted: by model and mode (`counting.count`).
        rate: operations per second of this machine and where that is from, for models without a finished cell.
    """
    finished = [found for item in seen if item.state.state == "done" and (found := read_spent(item.cell)) is not None]
    spent = [item for item in finished if item.effort.train]  # else nothing follows for other numbers of records
    filled = {item.cell.store for item in finished}
    left = [item.cell for item in seen if item.state.state != "done"]
    return estimate(left, spent, {store for store in filled if store}, counted or {}, rate)


def estimate(
    cells: Iterable[Cell],
    spent: Sequence[Spent],
    filled: set[str],
    counted: Mapping[str, Counted],
    rate: tuple[float, str] | None,
) -> dict[str, Estimate]:
    """An estimate for each cell, in their order: the first of a store pays for its features."""
    own_rates = [item.flops / item.train for item in spent if item.flops and item.train > 0 and not item.extracted]
    own_rate = (median(own_rates), "operations counted, at the rate of finished runs") if own_rates else None
    filled, found = set(filled), {}
    for cell in cells:
        first = cell.store is not None and cell.store not in filled
        like = [item for item in spent if (item.cell.model, item.cell.run.mode) == (cell.model, cell.run.mode)]
        known = counted.get(counting_key(cell))
        if not effort_of(cell).train:
            found[cell.id] = Estimate(None, 1.0, "the size of the data is not known before they are made")
        elif like:
            found[cell.id] = _from_like(cell, like, first)
        elif known is not None and (own_rate or rate):
            found[cell.id] = _from_counting(cell, known, own_rate or rate, first, _COUNTED if own_rate else _CALIBRATED)
        else:
            found[cell.id] = Estimate(None, 1.0, "nothing is known yet")
        if cell.store is not None:
            filled.add(cell.store)
    return found


def counting_key(cell: Cell) -> str:
    """Cells with the same text have the same network."""
    pretrained = get_mode(cell.run.mode).pretrained
    return f"{cell.run.model} {'' if pretrained else json.dumps(cell.run.model_options, sort_keys=True)}"


def _from_like(cell: Cell, like: Sequence[Spent], first: bool) -> Estimate:
    effort = effort_of(cell)
    work = max(1, effort.train * effort.epochs)
    train = median(item.train / max(1, item.effort.train * item.effort.epochs) for item in like) * work
    rest = median(item.rest * max(1.0, effort.test / max(1, item.effort.test)) for item in like)
    features = 0.0
    if on_features(cell):
        stored = max(1, effort.stored)
        per_record = [item.features / max(1, item.effort.stored) for item in like if item.extracted]
        reading = [item.features for item in like if not item.extracted]
        features = max(per_record) * stored if first and per_record else median(reading) if reading else 0.0
    stores = [round(item.store_bytes * effort.stored / max(1, item.effort.stored)) for item in like]
    return Estimate(
        STARTUP + train + rest + features,
        _SAME,
        f"{len(like)} finished runs of this model and mode",
        round(median(item.bytes for item in like)),
        round(median(stores)) if first else 0,
    )


def _from_counting(cell: Cell, known: Counted, rate: tuple[float, str] | None, first: bool, factor: float) -> Estimate:
    assert rate is not None
    effort, mode = effort_of(cell), get_mode(cell.run.mode)
    windows = max(1, int(effort.seconds / known.window))
    others = effort.validation + effort.test
    store_bytes = 0
    if on_features(cell):
        number = effort.stored * (windows + cell.run.hyperparameters().crops) + others * windows
        operations = known.flops * number if first else 0.0
        size = known.width * (known.tokens if mode.head == "attention" else 1)
        itemsize = 4 if cell.run.hyperparameters().feature_precision == "fp32" else 2
        store_bytes = number * size * itemsize if first else 0
    else:
        # Backward takes about twice the forward pass.
        each = 3 * effort.train + effort.validation * windows
        operations = known.flops * (each * effort.epochs + (effort.test + min(effort.train, 2000)) * windows)
    share = 0.02 if mode.adapter else 1.0
    folder = round(4 * known.parameters * share) + 2**20
    return Estimate(5 * STARTUP + operations / rate[0], factor, rate[1], folder, store_bytes)


def read_spent(cell: Cell) -> Spent | None:
    """What a finished cell has cost; None where its result does not say."""
    folder = Path(cell.run.output_dir)
    try:
        raw: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        phases = {name: float(item["wall"]) for name, item in raw["cost"]["phases"].items()}
        features = raw.get("features") or {}
        return Spent(
            cell,
            effort_of(cell),
            phases.get("train", 0.0) + phases.get("validation", 0.0),
            phases.get("features", 0.0),
            bool(features.get("extracted")),
            sum(phases.get(name, 0.0) for name in _NOT_TRAINING),
            raw["cost"].get("training_flops"),
            sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
            int(features.get("bytes") or 0),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


@dataclass(frozen=True)
class Total:
    """All estimates together: seconds of one worker with their range, bytes, and how many cells are not in it."""

    seconds: float
    low: float
    high: float
    bytes: int
    store_bytes: int
    unknown: int
    bases: dict[str, int]


def total(estimates: Iterable[Estimate]) -> Total:
    """Sums; the range takes all to be off in the same direction."""
    listed = list(estimates)
    known = [(item.seconds, item) for item in listed if item.seconds is not None]
    bases: dict[str, int] = {}
    for item in listed:
        bases[item.basis] = bases.get(item.basis, 0) + 1
    return Total(
        sum(seconds for seconds, _ in known),
        sum(seconds / item.factor for seconds, item in known),
        sum(seconds * item.factor for seconds, item in known),
        sum(item.bytes or 0 for item in listed),
        sum(item.store_bytes or 0 for item in listed),
        len(listed) - len(known),
        bases,
    )
