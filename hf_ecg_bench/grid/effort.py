"""How much there is to do in a cell, from its specification and the size of its data."""

from __future__ import annotations

from dataclasses import dataclass

from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.grid.inputs import dataset_info
from hf_ecg_bench.grid.plan import Cell
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.modes import get_mode

_SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}  # of a complete release, where its data are not here
_SECONDS = 10.0  # of a record, where they differ


@dataclass(frozen=True)
class Effort:
    """What a cell has to go through.

    Attributes:
        train, validation, test: records; 0 where nothing is known about the data.
        stored: training records whose features are stored: all of a split of which at least half is used.
        epochs: passes, over all learning rates of a search; at most, where training may stop early.
        seconds: length of a record.
    """

    train: int
    validation: int
    test: int
    stored: int
    epochs: int
    seconds: float


def effort_of(cell: Cell) -> Effort:
    """The cell's effort, as far as it can be told without opening its data."""
    run = cell.run
    spec = get_dataset_spec(get_task(run.task).dataset)
    splits = dataset_info(run).get("splits", {})
    sizes = {}
    for name, share in _SHARES.items():
        known = splits.get(name, {}).get("records") if splits else round(share * (spec.records or 0))
        sizes[name] = int(known or 0)
    whole = sizes["train"]
    train = round(whole * run.fraction)
    train = min(train, run.limit) if run.limit else train
    values = run.hyperparameters()
    epochs = values.epochs * max(1, len(values.learning_rates)) if values.solver == "trainer" else 1
    stored = whole if 2 * train >= whole else train
    return Effort(train, sizes["validation"], sizes["test"], stored, epochs, spec.seconds or _SECONDS)


def on_features(cell: Cell) -> bool:
    """Whether the cell trains a head on stored features."""
    return get_mode(cell.run.mode).on_features and cell.store is not None
