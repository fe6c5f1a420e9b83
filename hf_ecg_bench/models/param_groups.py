"""Which parameter learns how fast: the head, the late layers, the early layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.models.registry import get_model_spec, model_id_of
from hf_ecg_bench.models.spec import ModelSpec

_WRAPPERS = ("module.", "base_model.model.", "_orig_mod.")  # DistributedDataParallel, PEFT, torch.compile


def param_groups(
    model: nn.Module, learning_rate: float, weight_decay: float, factors: Sequence[float] = (1.0, 0.1, 0.01)
) -> list[dict[str, Any]]:
    """Optimizer groups `head`, `late`, `early` with rates learning_rate * factors, without the empty ones.

    A model whose declaration names no layer groups (the supervised baselines) gets one group, `all`, at the
    head's rate. Weight decay applies to everything, biases and norms included, as in the paper. Only
    parameters that require a gradient are listed.

    Raises:
        TrainingError: a parameter belongs to no group, or nothing can be trained.
    """
    config: Any = model.config
    spec = get_model_spec(model_id_of(config.model_type))
    rates = dict(zip(("head", "late", "early"), factors, strict=True)) | {"all": factors[0]}
    members: dict[str, list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            members.setdefault(_group(name, spec), []).append((name, parameter))
    if not members:
        raise TrainingError("no parameter of the model can be trained: the backbone is frozen and there is no head")
    return [
        {
            "name": group,
            "params": [parameter for _, parameter in members[group]],
            "lr": learning_rate * rates[group],
            "weight_decay": weight_decay,
        }
        for group in ("all", "head", "late", "early")
        if group in members
    ]


def _group(name: str, spec: ModelSpec) -> str:
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    if not spec.late and not spec.early:
        return "all"
    if name.startswith("head."):
        return "head"
    inside = name.removeprefix("encoder.")
    groups = [
        group
        for group, prefixes in (("late", spec.late), ("early", spec.early))
        if any(inside == prefix or inside.startswith(prefix + ".") for prefix in prefixes)
    ]
    if len(groups) != 1:
        raise TrainingError(
            f"parameter {name!r} of {spec.id} is in {len(groups)} layer groups, expected 1 (late or early)"
        )
    return groups[0]
