"""A run's specification as JSON and back: what the plan on disk and the processes that compute cells are given."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hf_ecg_bench.training.spec import RunSpec


def to_json(spec: RunSpec) -> dict[str, Any]:
    """JSON values of all fields."""
    values = asdict(spec)
    values["output_dir"] = str(spec.output_dir)
    values["overrides"] = {key: list(v) if isinstance(v, tuple) else v for key, v in spec.overrides.items()}
    return {**values, "evaluate_on": list(spec.evaluate_on), "perturb": list(spec.perturb)}


def from_json(values: dict[str, Any]) -> RunSpec:
    """The specification. Fields that this version does not know are an error, as in any call.

    Raises:
        TypeError: a field is missing or unknown.
        TrainingError: a value that cannot be.
    """
    overrides = {key: tuple(v) if isinstance(v, list) else v for key, v in values.get("overrides", {}).items()}
    further = {name: tuple(values.get(name, ())) for name in ("evaluate_on", "perturb")}
    return RunSpec(**{**values, **further, "overrides": overrides, "output_dir": Path(values["output_dir"])})
