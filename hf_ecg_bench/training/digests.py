"""Digests of what a run reads, cheap enough to compare before torch is imported."""

from __future__ import annotations

import json
from pathlib import Path

from hf_ecg_bench.combining.members import is_combination, member_names
from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.models.resolve import resolve_model, weights_digest
from hf_ecg_bench.names import INFO_FILE, NAMESPACE
from hf_ecg_bench.training.faults import FAULTS
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.spec import RunSpec


def input_digests(spec: RunSpec, dataset_id: str) -> dict[str, str | None]:
    """`dataset`: of the prepared folder, None where it comes from elsewhere. `model`: of the weights that the run
    starts from, None where it starts from random ones; fetched and converted now where they are not here yet. Of
    several models all digests, with `+` between them.

    Part of a run's identity: a dataset prepared again or weights converted again under the same path are another run.
    """
    data = Path(spec.data) if spec.data else Path(NAMESPACE) / dataset_id
    return {"dataset": _dataset_digest(data / INFO_FILE), "model": _weights_digest(spec)}


def _weights_digest(spec: RunSpec) -> str | None:
    if not get_mode(spec.mode).pretrained:
        return None
    if is_combination(spec.model):
        return "+".join(str(weights_digest(resolve_model(name).folder)) for name in member_names(spec.model))
    if spec.model in MODELS:
        random_on_purpose = spec.fault in FAULTS and FAULTS[spec.fault].random_backbone
        if random_on_purpose or not get_model_spec(spec.model).pretrained:
            return None  # where that does not go together, building the model says so
    return weights_digest(resolve_model(spec.model).folder)


def _dataset_digest(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not a prepared folder: opening it says what is wrong
