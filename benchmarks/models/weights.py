"""The same weights in a yardstick as in our model, by the renames that the model's declaration has anyway."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hf_ecg_bench.models.spec import ModelSpec


def copy_weights(
    yardstick: nn.Module, ours: nn.Module, spec: ModelSpec, renames: Sequence[tuple[str, str]] = ()
) -> None:
    """Copy our backbone's tensors into a yardstick.

    Args:
        renames: patterns and replacements that make the public checkpoint's names of the yardstick's.

    Raises:
        KeyError: a tensor of the yardstick has no counterpart.
        ValueError: one of another shape (axes of length 1 do not count).
    """
    source = ours.state_dict()
    values: dict[str, Tensor] = {}
    for name, target in yardstick.state_dict().items():
        found = name
        for pattern, replacement in (*renames, *spec.renames):
            found = re.sub(pattern, replacement, found)
        if found not in source:
            raise KeyError(f"{type(yardstick).__name__}: {name} is {found} in {spec.id}, which has no such tensor")
        value = source[found]
        if [n for n in value.shape if n != 1] != [n for n in target.shape if n != 1]:
            raise ValueError(f"{name}: {tuple(target.shape)} here, {tuple(value.shape)} in {spec.id} ({found})")
        values[name] = value.reshape(target.shape)
    yardstick.load_state_dict(values)


def relative_difference(found: Tensor, expected: Tensor) -> float:
    """Largest absolute difference over the largest absolute value expected."""
    with torch.no_grad():
        return float((found - expected).abs().max() / expected.abs().max())
