"""The costs of an entry that pages show."""

from __future__ import annotations

from .formats import amount, duration, fixed

#: (field of an entry, title, how a value is written).
COSTS = (
    ("trainable_parameters", "Trained parameters", amount),
    ("train_seconds", "Training time", duration),
    ("records_per_second", "Records/s", amount),
    ("latency_ms", "Latency, ms", lambda v: fixed(v, 1)),
    ("peak_memory_bytes", "Peak memory", lambda v: amount(v, "B")),
    ("training_flops", "Training FLOPs", amount),
    ("energy_joules", "Energy", lambda v: amount(v, "J")),
)
