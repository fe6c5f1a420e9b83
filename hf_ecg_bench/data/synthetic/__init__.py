"""The embedded dataset: 12-lead ECGs of a moving cardiac dipole, with known truth.

A record is a pure function of (index, seed, records_per_patient): `plan_record` decides on patient, labels,
targets and beats, `render` makes the signal.
"""

from hf_ecg_bench.data.synthetic.conditions import LABELS
from hf_ecg_bench.data.synthetic.generator import (
    GENERATOR_VERSION,
    SAMPLING_RATE,
    SECONDS,
    TARGETS,
    RecordPlan,
    SyntheticRecord,
    generate_batch,
    generate_record,
    plan_record,
    render,
)

__all__ = [
    "GENERATOR_VERSION",
    "LABELS",
    "SAMPLING_RATE",
    "SECONDS",
    "TARGETS",
    "RecordPlan",
    "SyntheticRecord",
    "generate_batch",
    "generate_record",
    "plan_record",
    "render",
]
