"""What tells runs of one model and mode apart in a comparison: the settings that differ, in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.training.protocol import PROTOCOLS

_MACHINE = {"precision", "accumulation", "evaluation_batch_size", "gradient_checkpointing", "compile"}


def differing_settings(results: Sequence[Result]) -> list[str]:
    """Per result: `epochs 9, adapter dora` where others of its model, mode, fraction and seed have other values.

    Only what is not the paper's is named; what follows from the data or the machine is not.
    """
    settings = [_settings(result) for result in results]
    found = []
    for result, own in zip(results, settings, strict=True):
        alike = [other for other, one in zip(settings, results, strict=True) if _name(one) == _name(result)]
        said = [
            f"{key} {_text(value)}" for key, value in own.items() if any(other.get(key) != value for other in alike)
        ]
        found.append(", ".join(said))
    return found


def _name(result: Result) -> tuple[Any, ...]:
    model = str(result.model.get("id"))
    return model, result.mode, result.preprocessing, result.fraction, result.seed, result.trained_as


def _settings(result: Result) -> dict[str, Any]:
    """What the user chose, where it is not the paper's value."""
    paper = json.loads(json.dumps(asdict(PROTOCOLS["paper"])))
    values = result.hyperparameters
    searched = {"learning_rate"} if values.get("learning_rates") else set()
    names = [name for name in paper if name not in _MACHINE | searched]
    own = {name: values[name] for name in names if name in values and values[name] != paper[name]}
    return own | ({"limit": values["limit"]} if values.get("limit") else {})


def _text(value: Any) -> str:
    return " ".join(_text(one) for one in value) if isinstance(value, list) else str(value)
