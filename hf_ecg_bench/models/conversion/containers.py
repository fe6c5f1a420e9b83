"""Where in a checkpoint file a model's tensors are, and what else is in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from hf_ecg_bench.errors import CheckpointError, some
from hf_ecg_bench.models.spec import ModelSpec

USUAL = ("state_dict", "model_state_dict", "model", "encoder", "ecg_encoder", "ecg_model")

# What training programs keep beside the weights: Lightning, fairseq, accelerate, plain loops.
_TRAINING_STATE = (
    (r"optim|^opt$", "state of the optimizer"),
    (r"sched", "state of the learning-rate schedule"),
    (r"scaler|^amp", "state of the loss scaling"),
    (r"(^|_)ema(_|$)", "a running average of weights"),
    (r"^(args|callbacks|cfg|config|epoch|extra_state|history|hyper_parameters|loops|rng|task_state)", "training state"),
)


@dataclass(frozen=True)
class Beside:
    """Tensors elsewhere in the file: how many, and why they are not used."""

    tensors: int
    reason: str


@dataclass(frozen=True)
class Found:
    """Where the tensors are.

    Attributes:
        container: keys under which they are nested, outermost first; empty at the top level.
        tensors: by name.
        beside: what else holds tensors, by its keys joined with "/".
    """

    container: tuple[str, ...]
    tensors: dict[str, Tensor]
    beside: dict[str, Beside] = field(default_factory=dict)


def find_tensors(spec: ModelSpec, content: Mapping[str, Any], file_name: str) -> Found:
    """Look under the declared keys, then under the usual ones, however deep; else at the top level.

    Raises:
        CheckpointError: no tensors there.
    """
    node, path = content, tuple[str, ...]()
    beside: dict[str, Beside] = {}
    while (key := _container(spec, node)) is not None:
        beside |= _count_rest({name: value for name, value in node.items() if name != key}, path, spec)
        node, path = node[key], (*path, key)
    tensors = {str(name): value for name, value in node.items() if isinstance(value, Tensor)}
    if not tensors:
        keys = [f"{key} ({count} tensors)" if (count := _count(content[key])) else str(key) for key in content]
        raise CheckpointError(
            f"{file_name} holds no tensors where {spec.id}'s are looked for (the top level, or under "
            f"{', '.join(dict.fromkeys((*spec.containers, *USUAL)))}); it has the keys {some(keys, 8)}",
            fix=f"get {spec.source.file} from {spec.source.link}" if spec.source else None,
        )
    beside |= _count_rest({name: value for name, value in node.items() if str(name) not in tensors}, path, spec)
    return Found(path, tensors, beside)


def _container(spec: ModelSpec, node: Mapping[str, Any]) -> str | None:
    return next(
        (key for key in (*spec.containers, *USUAL) if isinstance(node.get(key), Mapping) and _count(node[key])), None
    )


def _count_rest(rest: Mapping[str, Any], path: tuple[str, ...], spec: ModelSpec) -> dict[str, Beside]:
    """What the entries of one level hold, loose tensors together under the first part of their names."""
    counts: dict[str, int] = {}
    for name, value in rest.items():
        if count := _count(value):
            group = str(name).split(".")[0] if isinstance(value, Tensor) else str(name)
            counts[group] = counts.get(group, 0) + count
    return {"/".join((*path, name)): Beside(count, _reason(spec, name)) for name, count in counts.items()}


def _reason(spec: ModelSpec, name: str) -> str:
    declared = next((reason for pattern, reason in spec.ignored_tensors if re.search(pattern, name + ".")), None)
    usual = next((reason for pattern, reason in _TRAINING_STATE if re.search(pattern, name)), None)
    return declared or usual or f"not where {spec.id}'s tensors are"


def _count(value: Any) -> int:
    """Tensors in a value, however nested."""
    return sum(1 for _ in _tensors(value))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _tensors(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _tensors(inner)
