"""LoRA adapters on a classifier: small trainable matrices beside frozen layers (Hu et al., ICLR 2022)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.errors import TrainingError, some
from hf_ecg_bench.models.registry import get_model_spec, model_id_of

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import nn


def add_lora(
    model: nn.Module, rank: int = 8, alpha: float = 16, dropout: float = 0.0, targets: Sequence[str] | None = None
) -> PeftModel:
    """Wrap a classifier so that only its head and adapters on its targets are trained.

    A target W becomes W + alpha / rank * B A with A (rank, inputs) and B (outputs, rank), B = 0 at the start: the
    outputs are at first what they were. BatchNorm stays in eval mode (see EcgForSequenceClassification.train).

    Args:
        model: a classifier of ours; it is changed in place.
        rank: of the adapters.
        alpha: their scale, times `rank`.
        dropout: of what enters an adapter.
        targets: regular expressions for whole module names in the classifier; None: the model's `lora_targets`.

    Returns:
        PEFT's wrapper. `save_pretrained` writes the adapters and the head alone, `PeftModel.from_pretrained(base,
        folder)` puts them back, and `merge_and_unload` gives a plain classifier.

    Raises:
        TrainingError: not a classifier, a frozen backbone, a pattern without a layer, or numbers out of range.
    """
    from peft import LoraConfig, get_peft_model

    _check_numbers(rank, alpha, dropout)
    patterns = target_patterns(model, targets, rank)
    options = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]
        lora_dropout=dropout,
        target_modules="|".join(f"(?:{pattern})" for pattern in patterns),
        modules_to_save=["head"],
    )
    wrapped: Any = get_peft_model(model, options, low_cpu_mem_usage=next(model.parameters()).is_meta)
    return wrapped.train(model.training)  # frozen BatchNorm leaves train mode


def target_patterns(model: nn.Module, targets: Sequence[str] | None = None, rank: int = 1) -> Sequence[str]:
    """Regular expressions of the modules that `add_lora` adapts, checked; raises as it does."""
    from torch import nn

    from hf_ecg_bench.models.base import EcgForSequenceClassification

    if not isinstance(model, EcgForSequenceClassification):
        raise TrainingError(
            f"adapters go into a classifier of this package, found {type(model).__name__}",
            fix="load_model(..., target_names=[...])",
        )
    if hasattr(model, "peft_config"):
        raise TrainingError("the model has adapters already", fix="merge_and_unload() gives a plain model")
    if model.config.freeze_backbone:
        raise TrainingError(
            "the backbone is frozen as a whole, so adapters in it would never learn",
            fix="load the model with freeze_backbone=False: add_lora freezes all but adapters and head",
        )
    model_id = model_id_of(model.config.model_type)
    patterns = get_model_spec(model_id).lora_targets if targets is None else tuple(targets)
    if not patterns:
        raise TrainingError(f"{model_id} declares no layers for adapters", fix="pass targets")
    modules = dict(model.named_modules())
    layers = {name: module for name, module in modules.items() if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d)}
    for pattern in patterns:
        matched = [name for name in modules if re.fullmatch(pattern, name)]
        if not matched:
            raise TrainingError(f"no module of {model_id} matches {pattern!r}; it has {some(layers)}")
        if others := [name for name in matched if name not in layers]:
            raise TrainingError(
                f"adapters go on Linear, Conv1d and Conv2d layers; {pattern!r} also matches {some(others)}"
            )
        for name in matched:
            groups = getattr(layers[name], "groups", 1)
            if groups > 1 and rank % groups:
                raise TrainingError(f"{name} is a convolution of {groups} groups, not a divisor of rank {rank}")
            if name.startswith("head"):
                raise TrainingError(f"{name} belongs to the head, which is trained anyway")
    return patterns


def _check_numbers(rank: int, alpha: float, dropout: float) -> None:
    if not isinstance(rank, int) or rank < 1 or alpha <= 0 or not 0 <= dropout < 1:
        raise TrainingError(
            "adapters need a rank of at least 1, a positive alpha and a dropout in [0, 1), "
            f"found {rank}, {alpha}, {dropout}"
        )
