"""Adapters on a classifier: a few trainable numbers beside frozen layers, by PEFT.

`lora`: W becomes W + alpha / rank * B A (Hu et al., ICLR 2022). `dora`: the same, and the length of each output's
weights is trained (Liu et al., ICML 2024). `ia3`: a trained factor on each output (Liu et al., NeurIPS 2022).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from hf_ecg_bench.errors import TrainingError, some, unknown_name
from hf_ecg_bench.models.registry import get_model_spec, model_id_of

if TYPE_CHECKING:
    from peft import PeftConfig, PeftModel
    from torch import nn

Kind = Literal["lora", "dora", "ia3"]
KINDS: tuple[str, ...] = get_args(Kind)
_NOTHING = r"(?!)"  # a pattern that matches no name


def add_adapter(
    model: nn.Module,
    kind: Kind = "lora",
    rank: int = 8,
    alpha: float = 16,
    dropout: float = 0.0,
    targets: Sequence[str] | None = None,
) -> PeftModel:
    """Wrap a classifier so that only its head and adapters on its targets are trained.

    At the start the outputs are what they were. BatchNorm stays in eval mode (see EcgForSequenceClassification.train).

    Args:
        model: a classifier of ours; it is changed in place.
        kind: `lora`, `dora` or `ia3`. PEFT has LoRA and DoRA for Linear, Conv1d and Conv2d (LoRA for grouped ones
            too, where it cannot be merged), IA3 for Linear and Conv2d.
        rank, alpha, dropout: of LoRA and DoRA: the width of A and B, their scale times `rank`, and the share of A's
            input that is dropped in training. IA3 has none of them.
        targets: regular expressions for whole module names in the classifier; None: the model's `lora_targets`.

    Returns:
        PEFT's wrapper. `save_adapter` writes the adapters and the head alone, and `merged` gives a plain classifier.

    Raises:
        TrainingError: not a classifier, a frozen backbone, a pattern without a layer, a layer that this kind does not
            work on, or numbers out of range.
        UnknownNameError: no such kind.
    """
    from peft import get_peft_model

    patterns = target_patterns(model, targets, rank, kind)
    _check_numbers(rank, alpha, dropout)
    options = adapter_config(kind, rank, alpha, dropout, patterns)
    with warnings.catch_warnings():  # PEFT asks transformers by a name that is being replaced
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        wrapped: Any = get_peft_model(model, options, low_cpu_mem_usage=next(model.parameters()).is_meta)
    return wrapped.train(model.training)  # frozen BatchNorm leaves train mode


def add_lora(
    model: nn.Module, rank: int = 8, alpha: float = 16, dropout: float = 0.0, targets: Sequence[str] | None = None
) -> PeftModel:
    """`add_adapter` of kind `lora`."""
    return add_adapter(model, "lora", rank, alpha, dropout, targets)


def adapter_config(kind: str, rank: int, alpha: float, dropout: float, patterns: Iterable[str]) -> PeftConfig:
    """PEFT's configuration of what `add_adapter` adds."""
    from peft import IA3Config, LoraConfig

    names = "|".join(f"(?:{pattern})" for pattern in patterns)
    if kind == "ia3":  # on outputs throughout: which layers feed which is not declared
        return IA3Config(target_modules=names, feedforward_modules=_NOTHING, modules_to_save=["head"])
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]
        lora_dropout=dropout,
        target_modules=names,
        modules_to_save=["head"],
        use_dora=kind == "dora",
    )


def target_patterns(
    model: nn.Module, targets: Sequence[str] | None = None, rank: int = 1, kind: str = "lora"
) -> Sequence[str]:
    """Regular expressions of the modules that `add_adapter` adapts, checked; raises as it does."""
    from torch import nn

    from hf_ecg_bench.models.base import EcgForSequenceClassification

    if kind not in KINDS:
        raise unknown_name("adapter", kind, KINDS)
    if not isinstance(model, EcgForSequenceClassification):
        raise TrainingError(
            f"adapters go into a classifier of this package, found {type(model).__name__}",
            fix="load_model(..., target_names=[...])",
        )
    if hasattr(model, "peft_config"):
        raise TrainingError(
            "the model has adapters already", fix="merge_and_unload() or load_model(..., merge_adapter=True)"
        )
    if model.config.freeze_backbone:
        raise TrainingError(
            "the backbone is frozen as a whole, so adapters in it would never learn",
            fix="load the model with freeze_backbone=False: add_adapter freezes all but adapters and head",
        )
    model_id = model_id_of(model.config.model_type)
    patterns = get_model_spec(model_id).lora_targets if targets is None else tuple(targets)
    if not patterns:
        raise TrainingError(f"{model_id} declares no layers for adapters", fix="pass targets")
    modules = dict(model.named_modules())
    layers = {name: module for name, module in modules.items() if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d)}
    for pattern in patterns:
        try:
            matched = [name for name in modules if re.fullmatch(pattern, name)]
        except re.error as error:
            raise TrainingError(
                f"target {pattern!r} is no regular expression: {error}", fix="pass others, or save the adapters again"
            ) from error
        if not matched:
            raise TrainingError(f"no module of {model_id} matches {pattern!r}; it has {some(layers)}")
        if others := [name for name in matched if name not in layers]:
            raise TrainingError(
                f"adapters go on Linear, Conv1d and Conv2d layers; {pattern!r} also matches {some(others)}"
            )
        if in_head := [name for name in matched if name.startswith("head")]:
            raise TrainingError(f"{some(in_head)} belongs to the head, which is trained anyway")
        _check_layers({name: layers[name] for name in matched}, kind, rank, model_id)
    return patterns


def _check_layers(layers: dict[str, Any], kind: str, rank: int, model_id: str) -> None:
    """Refuse what PEFT cannot adapt, or adapts to something else than the layer computes (tried with 0.21)."""
    from torch import nn

    if kind == "ia3" and (other := [name for name, layer in layers.items() if isinstance(layer, nn.Conv1d)]):
        raise TrainingError(
            f"PEFT has IA3 for Linear and Conv2d layers; in {model_id}, {some(other, 3)} are Conv1d",
            fix="--adapter lora (or dora)",
        )
    for name, layer in layers.items():
        if isinstance(layer, nn.Linear) or kind == "ia3":
            continue
        if kind == "dora" and type(layer) not in (nn.Conv1d, nn.Conv2d):
            raise TrainingError(
                f"PEFT has DoRA for plain convolutions; {name} in {model_id} is a {type(layer).__name__}, whose output "
                "has another layout",
                fix="--adapter lora",
            )
        if layer.groups > 1 and kind == "dora":
            raise TrainingError(
                f"DoRA needs the norm of the adapted weights, which a convolution in groups does not have: {name} has "
                f"{layer.groups} groups",
                fix="--adapter lora",
            )
        if rank % layer.groups:
            raise TrainingError(
                f"{name} is a convolution of {layer.groups} groups, not a divisor of rank {rank}",
                fix=f"--adapter-rank {layer.groups}",
            )
        if set(layer.dilation) != {1} or layer.padding_mode != "zeros":
            raise TrainingError(
                f"{name} is a dilated convolution, or pads with other values than 0; PEFT's adapter would not",
                fix="pass targets without it",
            )


def merged(wrapped: Any) -> Any:
    """The plain classifier whose weights have the adapters in them; changes the wrapped one in place.

    Its outputs are those of the adapted one but for rounding. Every parameter can be trained again.

    Raises:
        TrainingError: adapters on convolutions in groups, which mix all inputs, as the layer itself cannot.
    """
    if grouped := unmergeable(wrapped):
        raise TrainingError(
            f"an adapter beside a convolution in groups cannot be merged into it: {some(grouped)}",
            fix="keep the adapter (run without --merge-adapter)",
        )
    model = wrapped.merge_and_unload()
    model.config.base_digest = None
    model.requires_grad_(True)
    model.apply_freezing()
    return model


def unmergeable(wrapped: Any) -> list[str]:
    """Names of adapted layers that no merged weight can stand for."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = {name: module for name, module in wrapped.named_modules() if isinstance(module, BaseTunerLayer)}
    return [name for name, layer in layers.items() if getattr(layer.get_base_layer(), "groups", 1) > 1]


def trained_parameters(model: nn.Module) -> dict[str, float]:
    """How much of an adapted model is trained.

    Returns:
        `trained`: numbers that are trained; `head`: those of them in the head; `total`: of the classifier without
        adapters; `share`: trained / total.
    """
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    head = sum(value.numel() for name, value in trained.items() if re.search(r"(^|\.)head\.", name))
    count = sum(value.numel() for value in trained.values())
    everything = sum(value.numel() for value in model.parameters())
    total = everything - (count - head) - _original_heads(model)
    return {"trained": count, "head": head, "total": total, "share": count / total}


def _original_heads(model: nn.Module) -> int:
    """Numbers in the untrained copies that PEFT keeps of the head."""
    return sum(value.numel() for name, value in model.named_parameters() if ".original_module." in name)


def _check_numbers(rank: int, alpha: float, dropout: float) -> None:
    if not isinstance(rank, int) or rank < 1 or alpha <= 0 or not 0 <= dropout < 1:
        raise TrainingError(
            "adapters need a rank of at least 1, a positive alpha and a dropout in [0, 1), "
            f"found {rank}, {alpha}, {dropout}"
        )
