"""What a run works on: names, data and targets, checked before anything expensive starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hf_ecg_bench.data.load import PreparedDataset, load_prepared, require_signals
from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.tasks import Task, get_task
from hf_ecg_bench.training.costs.meter import CostMeter
from hf_ecg_bench.training.faults import FaultEffect, effect_of, faulty_protocol
from hf_ecg_bench.training.loop.imbalance import check_imbalance
from hf_ecg_bench.training.loop.selection import check_selectable
from hf_ecg_bench.training.modes import Mode, get_mode
from hf_ecg_bench.training.protocol import Protocol
from hf_ecg_bench.training.records.of_task import TaskRecords, standardise, task_records
from hf_ecg_bench.training.records.parts import part_targets
from hf_ecg_bench.training.records.subsets import choose_subset
from hf_ecg_bench.training.spec import RunSpec


@dataclass
class Inputs:
    """What the run works on.

    Attributes:
        digests: of the prepared dataset and of the weights (`training.digests`).
        parts: the names of the targets of each task that is a part of this one's outputs, by task id.
        meter: measures what the run costs.
        subset: what is said about the used part of the training records, empty where all are used.
        mean, std: (targets,) float64, of the training records' regression targets; 0 and 1 for yes/no targets.
    """

    spec: RunSpec
    digests: dict[str, str | None]
    task: Task
    mode: Mode
    effect: FaultEffect
    protocol: Protocol
    prepared: PreparedDataset
    records: TaskRecords
    mean: np.ndarray
    std: np.ndarray
    subset: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    meter: CostMeter = field(default_factory=CostMeter)


def load(spec: RunSpec, digests: dict[str, str | None]) -> Inputs:
    """Read and check them.

    Raises:
        TrainingError: a split without usable records, too few for one batch, or none to select on.
    """
    task, mode = get_task(spec.task), get_mode(spec.mode)
    effect = effect_of(spec, mode)
    protocol = faulty_protocol(spec.hyperparameters(), effect)
    prepared = load_prepared(spec.data or task.dataset)
    require_signals(prepared)
    records = task_records(prepared, task)
    parts = part_targets(prepared, task, records)
    subset = choose_subset(records, spec)
    mean, std = standardise(records)
    check_selectable(records.splits["validation"].targets, records.columns.is_regression, task.selection)
    number = len(records.splits["train"].records)
    check_imbalance(protocol, records.columns.is_regression)
    if number < protocol.batch_size and protocol.solver == "trainer":
        raise TrainingError(
            f"{number} training records do not fill one batch of {protocol.batch_size}; "
            "incomplete batches are not trained on",
            fix=f"--batch-size {max(1, number // 2)}",
        )
    return Inputs(spec, digests, task, mode, effect, protocol, prepared, records, mean, std, subset, parts)
