"""What a model's pretraining has seen of a dataset's records."""

from __future__ import annotations

from dataclasses import dataclass

from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.results.row import ContaminationState
from hf_ecg_bench.training.modes import MODES

_STATES: dict[str, ContaminationState] = {"yes": "test_records", "no": "none", "unknown": "unknown"}


@dataclass(frozen=True)
class Contamination:
    """The state, and how it is known."""

    state: ContaminationState
    reason: str


def contamination(model: str, dataset: str, mode: str) -> Contamination:
    """Of a model id, a dataset id and a mode; training from scratch has seen nothing before."""
    if mode in MODES and not MODES[mode].pretrained:
        return Contamination("none", "trained from scratch")
    if model not in MODELS:
        return Contamination("unknown", "nothing is declared about this model's pretraining")
    for overlap in get_model_spec(model).overlaps:
        if overlap.dataset == dataset:
            return Contamination(_STATES[overlap.state], overlap.reason)
    return Contamination("unknown", f"nothing is declared about {dataset}")
