"""What a run cost, for people: scalars as facts, phases as a table, and what was not measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hf_ecg_bench.results.estimate import number
from hf_ecg_bench.results.quantities import duration, energy, milliseconds, operations, quantity
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.results.target_scores import mapping

_SCALARS: dict[str, tuple[str, Callable[[float], str]]] = {
    "train_seconds": ("Training and validation", duration),
    "evaluate_seconds": ("Test", duration),
    "starts": ("Starts of the run", lambda value: f"{value:g}"),
    "training_records_per_second": ("Records per second, training", lambda value: f"{value:.3g}"),
    "records_per_second": ("Records per second, test", lambda value: f"{value:.3g}"),
    "peak_memory_bytes": ("Peak memory", lambda value: f"{value / 2**30:.2f} GiB"),
    "energy_joules": ("Energy", energy),
    "training_flops": ("Operations, training", lambda value: f"{operations(value)} (estimate)"),
    "parameters": ("Parameters", quantity),
    "trainable_parameters": ("Trained parameters", quantity),
}
_PHASES = {
    "load": "Loading",
    "features": "Model, stored features",
    "train": "Training",
    "validation": "Validation",
    "test": "Test",
    "fitted": "Predicting training and validation records",
    "write": "Writing",
}
_MEANING = {"cpu": "CPU time", "memory": "Memory", "not_counted": "Not counted"}
_REASONS = {"cpu": "energy of the processor", "gpu": "energy of the GPU"}


def cost_facts(result: Result) -> tuple[tuple[str, str], ...]:
    """(name, text) of the known scalars, then latency, memory and operations in detail."""
    scalars = {key: value for key, value in result.cost.items() if not isinstance(value, dict)}
    values = {key: number(value, f"cost.{key}") for key, value in scalars.items()}
    known = [(*_SCALARS[key], values[key]) for key in _SCALARS if math.isfinite(values.get(key, math.nan))]
    rows = [(name, text(value)) for name, text, value in known]
    rows += [
        (key, f"{value:g}")
        for key, value in values.items()
        if key not in (*_SCALARS, "latency_ms") and math.isfinite(value)
    ]
    return (*rows, *_details(result))


def phase_table(result: Result, key: str) -> Table | None:
    """Seconds on the clock and of CPU time per phase, with their sums; None where the result has none."""
    phases = mapping(result.cost.get("phases"), "cost.phases")
    rows: list[tuple[str, float, float]] = []
    sums = [0.0, 0.0]
    for name, raw in phases.items():
        entry = mapping(raw, f"cost.phases.{name}")
        spent = [number(entry.get(kind), f"cost.phases.{name}.{kind}") for kind in ("wall", "cpu")]
        sums = [total + value for total, value in zip(sums, spent, strict=True)]
        rows.append((_PHASES.get(name, name), spent[0], spent[1]))
    if not rows:
        return None
    rows.append(("Together", sums[0], sums[1]))
    columns = (Column("Phase"), Column("Time", "right"), Column("CPU time", "right"))
    cells = tuple((Cell(name), Cell(duration(wall)), Cell(duration(cpu))) for name, wall, cpu in rows)
    return Table(key, "Time per phase", columns, cells)


def cost_notes(result: Result) -> tuple[str, ...]:
    """What the numbers cover, and why others are missing."""
    meaning = mapping(result.cost.get("meaning"), "cost.meaning")
    reasons = mapping(result.cost.get("reasons"), "cost.reasons")
    said = [f"{_MEANING[name]}: {meaning[name]}." for name in _MEANING if name in meaning]
    covers = mapping(mapping(result.cost.get("energy"), "cost.energy").get("covers"), "cost.energy.covers")
    said += [f"Energy: {', '.join(str(value) for value in covers.values())}."] if covers else []
    missing = ", ".join(f"{_REASONS.get(name, name)} ({reason})" for name, reason in reasons.items())
    return (*said, *([f"Not measured: {missing}."] if missing else []))


def _details(result: Result) -> list[tuple[str, str]]:
    rows = []
    if latency := mapping(result.cost.get("latency"), "cost.latency"):
        p95 = number(latency.get("p95_seconds"), "cost.latency.p95_seconds")
        median = number(latency.get("median_seconds"), "cost.latency.median_seconds")
        threads = f", threads: {latency.get('threads')}" if latency.get("device") == "cpu" else ""
        rows.append(
            (
                "One 10 s record",
                f"{milliseconds(1e3 * median)} (median of {latency.get('repetitions')}, 95th percentile "
                f"{milliseconds(1e3 * p95)}; {latency.get('windows')} windows, {latency.get('device')}{threads}, "
                f"{latency.get('precision')})",
            )
        )
    if flops := mapping(result.cost.get("flops"), "cost.flops"):
        forward, step = (number(flops.get(key), f"cost.flops.{key}") for key in ("forward", "training_step"))
        rows.append(("Operations, one window", operations(forward)))
        rows.append((f"Operations, step of {flops.get('batch_size')}", operations(step)))
    memory: dict[str, Any] = mapping(result.cost.get("memory"), "cost.memory")
    for key, name in (("gpu_allocated", "GPU memory, tensors"), ("gpu_reserved", "GPU memory, reserved")):
        if memory.get(key) is not None:
            rows.append((name, f"{number(memory[key], f'cost.memory.{key}') / 2**30:.2f} GiB"))
    return rows
