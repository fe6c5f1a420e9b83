"""A run's cost, for its result."""

from __future__ import annotations

from typing import Any

from hf_ecg_bench.training.costs.phases import Phases
from hf_ecg_bench.training.environment import peak_memory_bytes
from hf_ecg_bench.training.feeding import Feed
from hf_ecg_bench.training.inputs import Inputs


def cost_of(inputs: Inputs, feed: Feed, phases: Phases, test_records: int) -> dict[str, Any]:
    """Seconds, memory and size. The training time of a resumed run is that of its last part."""
    evaluate = phases.seconds["evaluate"]["wall"]
    return {
        "train_seconds": phases.seconds["train"]["wall"],
        "evaluate_seconds": evaluate,
        "phases": phases.seconds,
        "peak_memory_bytes": peak_memory_bytes(),
        "parameters": sum(p.numel() for p in feed.model.parameters()),
        "trainable_parameters": sum(p.numel() for p in feed.module.parameters() if p.requires_grad),
        "records_per_second": test_records / evaluate,
    }
