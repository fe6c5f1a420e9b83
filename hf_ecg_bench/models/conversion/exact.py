"""Putting a checkpoint's tensors into a model, all of them and nothing else."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from hf_ecg_bench.errors import CheckpointError, some
from hf_ecg_bench.models.base import EcgPreTrainedModel
from hf_ecg_bench.models.spec import ModelSpec


def load_exactly(model: EcgPreTrainedModel, tensors: Mapping[str, Tensor], spec: ModelSpec, where: str) -> list[str]:
    """Copy tensors into a freshly initialised model.

    Args:
        tensors: by our names.
        where: the file, for messages.

    Returns:
        Doubts: what makes the file look as if it had never been trained.

    Raises:
        CheckpointError: a tensor is missing, unexpected (with the nearest names), misshapen or not finite, or
            equals a random initialisation.
    """
    expected = model.state_dict()
    _check_names(set(expected), set(tensors), spec, where)
    loaded = {name: _fitted(tensor, expected[name], name, where) for name, tensor in tensors.items()}
    doubts = _untrained(model, loaded, spec, where)
    model.load_state_dict(loaded, strict=True)
    return doubts


def _check_names(expected: set[str], found: set[str], spec: ModelSpec, where: str) -> None:
    missing, unexpected = sorted(expected - found), sorted(found - expected)
    problems = []
    if missing:
        problems.append(f"{len(missing)} of {len(expected)} tensors are missing: {_near(missing, unexpected)}")
    if unexpected:
        problems.append(f"{len(unexpected)} are not known: {_near(unexpected, missing)}")
    if problems:
        raise CheckpointError(
            f"{where} is not a complete {spec.id} checkpoint: " + "; ".join(problems),
            fix=f"check that it is {spec.source.file} from {spec.source.link}" if spec.source else None,
        )


def _near(names: list[str], others: list[str], limit: int = 3) -> str:
    parts = []
    for name in names[:limit]:
        close = difflib.get_close_matches(name, others, n=1, cutoff=0.7) if len(others) < 5000 else []
        parts.append(name + (f" (nearest: {close[0]})" if close else ""))
    return ", ".join(parts) + (", ..." if len(names) > limit else "")


def _fitted(tensor: Tensor, expected: Tensor, name: str, where: str) -> Tensor:
    shape, found = expected.shape, tensor.shape
    # An axis of length 1 changes no number: a 1x1 convolution's weight, or its bias kept as a column.
    if shape != found and [n for n in shape if n != 1] != [n for n in found if n != 1]:
        raise CheckpointError(f"{where}: tensor {name!r} has the shape {tuple(found)}, expected {tuple(shape)}")
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise CheckpointError(f"{where}: tensor {name!r} holds NaN or infinite values", fix="download it again")
    return tensor.reshape(shape).to(expected.dtype)


def _untrained(model: EcgPreTrainedModel, loaded: Mapping[str, Tensor], spec: ModelSpec, where: str) -> list[str]:
    """Trained parameters that are as a fresh model has them.

    Parameters drawn at random are never drawn twice: one that is equal was not loaded. Those that start as
    constants (gains of 1, biases of 0) leave them as soon as they are trained; when all are still there,
    the file was probably saved from a model that never was.
    """
    constant, moved, drawn = [], 0, []
    unused = [pattern.names for pattern in spec.unused_parameters if pattern.head is None]
    prefix = "" if any(name.startswith("encoder.") for name in loaded) else "encoder."
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad or any(re.match(pattern, prefix + name) for pattern in unused):
            continue
        start = parameter.detach()
        equal = torch.equal(start, loaded[name])
        if equal and not _is_constant(start):
            drawn.append(name)
        elif equal:
            constant.append(name)
        elif _is_constant(start):
            moved += 1
    if drawn:
        raise CheckpointError(f"{where}: {len(drawn)} tensors equal a random initialisation: {some(drawn, 4)}")
    if constant and not moved:
        return [f"all {len(constant)} gains and biases that start as constants are still there: was it ever trained?"]
    return []


def _is_constant(tensor: Tensor) -> bool:
    return bool((tensor == tensor.flatten()[0]).all())
