"""The command line that does what a run's specification says: for records of failures and for repeating a cell."""

from __future__ import annotations

import json
import shlex
from typing import Any

from hf_ecg_bench.training.spec import RunSpec

# Flags by field, for what is not at its default.
_FLAGS = {
    "data": "--data",
    "protocol": "--protocol",
    "subset": "--subset",
    "limit": "--limit",
    "n_resamples": "--n-resamples",
    "fault": "--fault",
    "preprocessing": "--preprocessing",
    "accept_unit": "--accept-unit",
}


def command_of(spec: RunSpec) -> str:
    """`hf-ecg-bench run --model ... --output-dir ...`. (`examples` and what `run` has no flag for is left out.)"""
    words = ["hf-ecg-bench", "run", "--model", spec.model, "--task", spec.task, "--mode", spec.mode]
    if spec.fraction != 1:
        words += ["--fraction", repr(spec.fraction)]
    if spec.seed:
        words += ["--seed", str(spec.seed)]
    for name, flag in _FLAGS.items():
        value = getattr(spec, name)
        if value != RunSpec.__dataclass_fields__[name].default:
            words += [flag, str(value)]
    for name, value in spec.overrides.items():
        words += _hyperparameter(name, value)
    for key, value in spec.model_options.items():
        words += ["--model-option", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
    for flag, names in (("--evaluate-on", spec.evaluate_on), ("--perturb", spec.perturb)):
        words += [flag, ",".join(names)] if names else []
    words += ["--merge-adapter"] if spec.merge_adapter else []
    return shlex.join([*words, "--output-dir", str(spec.output_dir)])


def _hyperparameter(name: str, value: Any) -> list[str]:
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [flag] if value else []
    return [flag, ",".join(map(repr, value)) if isinstance(value, tuple | list) else str(value)]
