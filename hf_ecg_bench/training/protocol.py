"""Hyperparameters: the paper's protocol, what the published code did, and a small stated search."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from hf_ecg_bench.errors import TrainingError, unknown_name


@dataclass(frozen=True)
class Protocol:
    """Hyperparameters. The defaults are the paper's (arXiv 2509.25095 and its released code).

    Attributes:
        epochs: passes over the training records; each takes one random window per record.
        batch_size: records per optimizer step, over all processes and accumulation steps.
        learning_rate, weight_decay: AdamW's; the decay applies to every trained parameter, biases and norms included.
        layer_factors: learning-rate factors of head, late and early layers where the mode uses them.
        max_grad_norm: gradient clipping; 0 is none.
        schedule: learning-rate schedule by its name in transformers.
        warmup_steps: of the schedule.
        accumulation: micro-batches per optimizer step; the step is the same whatever their number.
        evaluation_batch_size: windows per forward pass in evaluation; changes no result beyond rounding.
        precision: `auto` is float16 autocast on a GPU (float32 for models that the paper trains so), float32 on a CPU.
        tail: what evaluation does with the end of a record that fills no window: `drop` (paper) or `shift`.
        last_window: whether training may draw a record's last possible window; the published code never does.
        undefined: what a label without positives or negatives does to the macro AUROC: it is left out (`drop`), or
            counts 0.5 (`half`, the published code), also in every resample, which pulls intervals down.
        features: what a head on a frozen backbone is trained on: `stored`, read once from the backbone and kept on
            disk, or `reencoded`, a new random window of each record every epoch, as published.
        crops: random windows per training record in the feature store, beside all its evaluation windows.
        feature_precision: in which stored features are kept: `fp16`, `bf16` or `fp32`.
        solver: of a linear head on stored features: `trainer` (AdamW, the record) or `lbfgs`, to the convex optimum.
        class_weights: weight of the positives of each yes/no target in the loss: `none` (paper), `balanced`
            (negatives / positives among the training records) or `sqrt`, its square root.
        focal_gamma: of the focal loss (Lin et al., ICCV 2017); 0 is plain cross-entropy.
        learning_rates: rates to try, each as a run of its own, of which validation picks one; empty: no search.
        patience: epochs without a better validation score after which training stops; 0: never.
        gradient_checkpointing: recompute blocks in the backward pass instead of keeping their activations.
        compile: `torch.compile` the model; its dropout draws other random numbers.
        adapter: in mode `lora`: `lora`, `dora` or `ia3`.
        adapter_rank, adapter_alpha, adapter_dropout: of LoRA and DoRA.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    layer_factors: tuple[float, float, float] = (1.0, 0.1, 0.01)
    max_grad_norm: float = 0.0
    schedule: str = "constant"
    warmup_steps: int = 0
    accumulation: int = 1
    evaluation_batch_size: int = 256
    precision: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    tail: Literal["drop", "shift"] = "drop"
    last_window: bool = True
    undefined: Literal["drop", "half"] = "drop"
    features: Literal["stored", "reencoded"] = "stored"
    crops: int = 2
    feature_precision: Literal["fp16", "bf16", "fp32"] = "fp16"
    solver: Literal["trainer", "lbfgs"] = "trainer"
    class_weights: Literal["none", "balanced", "sqrt"] = "none"
    focal_gamma: float = 0.0
    learning_rates: tuple[float, ...] = ()
    patience: int = 0
    gradient_checkpointing: bool = False
    compile: bool = False
    adapter: Literal["lora", "dora", "ia3"] = "lora"
    adapter_rank: int = 8
    adapter_alpha: float = 16.0
    adapter_dropout: float = 0.0


# What the text-valued hyperparameters may be; the schedules are those of transformers that need no further settings.
CHOICES: dict[str, tuple[str, ...]] = {
    "precision": ("auto", "fp32", "fp16", "bf16"),
    "tail": ("drop", "shift"),
    "undefined": ("drop", "half"),
    "schedule": ("constant", "constant_with_warmup", "linear", "cosine", "inverse_sqrt"),
    "features": ("stored", "reencoded"),
    "feature_precision": ("fp16", "bf16", "fp32"),
    "solver": ("trainer", "lbfgs"),
    "class_weights": ("none", "balanced", "sqrt"),
    "adapter": ("lora", "dora", "ia3"),
}

PROTOCOLS: dict[str, Protocol] = {
    "paper": Protocol(),
    # Also what the released code does by mistake; for comparing with its numbers.
    "published": Protocol(last_window=False, undefined="half", features="reencoded"),
    "auto": Protocol(learning_rates=(1e-4, 3e-4, 1e-3, 3e-3), patience=10),
}

_AT_LEAST_ONE = ("epochs", "batch_size", "accumulation", "evaluation_batch_size", "adapter_rank")
_NOT_NEGATIVE = (
    *("learning_rate", "weight_decay", "max_grad_norm", "warmup_steps"),
    *("crops", "focal_gamma", "patience"),
)


def protocol_of(name: str, overrides: dict[str, Any]) -> Protocol:
    """The preset with single values replaced.

    Raises:
        UnknownNameError: no such preset or hyperparameter.
        TrainingError: a value out of its range.
    """
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, PROTOCOLS)
    preset = PROTOCOLS[name]
    known = asdict(preset)
    for override in overrides:
        if override not in known:
            raise unknown_name("hyperparameter", override, known)
    # A rate given by the user is the one that is meant: nothing is left to search.
    if "learning_rate" in overrides and "learning_rates" not in overrides:
        overrides = {**overrides, "learning_rates": ()}
    values = replace(preset, **{key: _typed(key, value, getattr(preset, key)) for key, value in overrides.items()})
    _check(values)
    return values


def _typed(name: str, value: Any, preset: Any) -> Any:
    """The value as the preset's type: a whole number is a number; nothing else is turned into another type."""
    if isinstance(preset, tuple) and isinstance(value, list | tuple):
        return tuple(_typed(name, item, 0.0) for item in value)
    if type(preset) is float and type(value) is int:
        return float(value)
    if not isinstance(value, type(preset)) or isinstance(value, bool) != isinstance(preset, bool):
        kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "several numbers"}
        raise TrainingError(f"{name} = {value!r}: expected {kinds[type(preset)]}"[:200])
    return value


def _check(values: Protocol) -> None:
    for name in _AT_LEAST_ONE:
        if getattr(values, name) < 1:
            raise TrainingError(f"{name} = {getattr(values, name)}: expected at least 1")
    for name in _NOT_NEGATIVE:
        if not 0 <= getattr(values, name) < float("inf"):
            raise TrainingError(f"{name} = {getattr(values, name)}: expected 0 or more")
    if len(values.layer_factors) != 3 or not all(0 <= factor < float("inf") for factor in values.layer_factors):
        raise TrainingError(f"layer_factors = {values.layer_factors}: expected three numbers of 0 or more")
    if not all(0 < rate < float("inf") for rate in values.learning_rates):
        raise TrainingError(f"learning_rates = {values.learning_rates}: expected numbers above 0")
    if not 0 < values.adapter_alpha < float("inf"):
        raise TrainingError(f"adapter_alpha = {values.adapter_alpha}: expected a number above 0")
    if not 0 <= values.adapter_dropout < 1:
        raise TrainingError(f"adapter_dropout = {values.adapter_dropout}: expected 0 or more, below 1")
    for name, allowed in CHOICES.items():
        if getattr(values, name) not in allowed:
            raise unknown_name(name, str(getattr(values, name)), allowed)
    if values.warmup_steps and values.schedule == "constant":
        raise TrainingError("the constant schedule has no warm-up", fix="--schedule constant_with_warmup")
