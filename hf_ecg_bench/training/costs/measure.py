"""A run's cost, for its result."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.training.costs.flops import COUNTED, forward_flops, step_flops
from hf_ecg_bench.training.costs.latency import example_record, latency
from hf_ecg_bench.training.costs.meter import CostMeter, Spending
from hf_ecg_bench.training.environment import peak_memory_bytes
from hf_ecg_bench.training.feeding import Feed
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.loop.batches import RECORD
from hf_ecg_bench.training.surviving.processes import world_size

_LOST = "what a killed start spent after its last epoch or phase had been written down"


def cost_of(inputs: Inputs, feed: Feed, precision: str, test_records: int, *, main: bool) -> dict[str, Any]:
    """Time, memory, energy, arithmetic and latency of a run, over all its starts, as JSON values.

    Every process of a launch has to call it; only the first one (`main`) measures the model.

    Returns:
        Numbers: train_seconds (validation included), evaluate_seconds (test), peak_memory_bytes (GPU, else RAM),
        parameters, trainable_parameters, records_per_second (test), training_records_per_second, training_flops,
        latency_ms (median), energy_joules. None where there is none; `reasons` says why. And by groups: starts,
        phases {name: {wall, cpu}}, memory, energy, flops, latency, meaning (what these numbers cover, in words).
    """
    meter = inputs.meter
    this_start, total = meter.now(), meter.total()
    wall = {name: spent.wall for name, spent in total.phases.items()}
    cost = {
        "train_seconds": wall["train"] + wall.get("validation", 0.0),
        "evaluate_seconds": wall["test"],
        "phases": {name: spent._asdict() for name, spent in total.phases.items()},
        "peak_memory_bytes": peak_memory_bytes(),
        "parameters": sum(p.numel() for p in feed.model.parameters()),
        "trainable_parameters": sum(p.numel() for p in feed.module.parameters() if p.requires_grad),
        "records_per_second": test_records / this_start.phases["test"].wall,
        "training_records_per_second": total.trained / wall["train"] if total.trained else None,
        "starts": total.starts,
        "memory": total.memory,
        "energy": {"joules": total.joules, "covers": meter.energy.covers},
        "energy_joules": sum(total.joules.values()) if total.joules else None,
    }
    reasons = dict(meter.reasons)
    if main:
        cost |= _model_cost(inputs, feed, precision, total, reasons)
    return cost | {"meaning": _meaning(meter), "reasons": reasons}


def _model_cost(inputs: Inputs, feed: Feed, precision: str, total: Spending, reasons: dict[str, str]) -> dict[str, Any]:
    """Operations and latency; what cannot be measured gets a reason."""
    found: dict[str, Any] = {"flops": None, "training_flops": None, "latency": None, "latency_ms": None}
    if not isinstance(feed.model, PreTrainedModel):
        reasons["latency"] = reasons["flops"] = "not one model that takes windows of one kind"
        return found
    config: Any = feed.model.config
    extractor = EcgFeatureExtractor.from_config(config, tail=inputs.protocol.tail)
    rate = inputs.records.sampling_rate
    try:
        windows = extractor(example_record(rate), sampling_rate=rate)["input_values"]
        measured = latency(feed.model, extractor, rate, precision)
    except ContractError as error:
        reasons["latency"] = reasons["flops"] = error.message
        return found
    flops = count_flops(feed, windows[:1], inputs.protocol.batch_size)
    steps = total.trained / inputs.protocol.batch_size
    if not steps:
        reasons["training_flops"] = "counted for optimizer steps of the Trainer only"
    extracted = int(feed.facts.get("extracted", 0))
    flops["feature_extraction"] = extracted * flops["forward"]
    training = steps * flops["training_step"] + flops["feature_extraction"] if steps else None
    return {
        "flops": flops | {"counted": COUNTED},
        "training_flops": training,
        "latency": measured,
        "latency_ms": 1e3 * measured["median_seconds"],
    }


def count_flops(feed: Feed, window: torch.Tensor, batch_size: int) -> dict[str, Any]:
    """Operations of the classifier's forward pass on one window, and of one training step of a whole batch.

    Args:
        window: (1, leads, samples), what the classifier takes.
    """
    device = next(feed.model.parameters()).device
    items = feed.training.__getitems__([0]).items()
    inputs = {name: value.to(device) for name, value in items if name not in ("labels", RECORD)}
    return {
        "forward": forward_flops(feed.model, {"input_values": window.to(device)}),
        "training_step": step_flops(feed.module, inputs, batch_size),
        "batch_size": batch_size,
    }


def _meaning(meter: CostMeter) -> dict[str, str]:
    number = world_size()
    launch = f", all {number} processes together" if number > 1 else ""
    starts = "over all starts of the run"
    return {
        "wall": f"seconds on the clock{' of the first process' if number > 1 else ''}, {starts}",
        "cpu": f"seconds of CPU time of all threads{launch}, {starts}; without child processes",
        "memory": f"bytes at the peak{launch}; RAM since the process started, children: the largest one",
        "energy": f"joules{launch}, {starts}",
        "not_counted": "writing result.json, measuring this" + (f", and {_LOST}" if meter.before.starts else ""),
    }
