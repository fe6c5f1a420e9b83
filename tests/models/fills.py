"""Weights that follow from tensor names, so that expected numbers need no weight files."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.heads import HEADS
from hf_ecg_bench.models.registry import get_model_spec, model_class
from hf_ecg_bench.models.s4.layers import S4Kernel


def fill(key: str, shape: tuple[int, ...], mean: float = 0.0, std: float = 1.0) -> torch.Tensor:
    """mean + std * N(0, 1) in float64, seeded by the SHA-256 of the key."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    values = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(np.asarray(mean + std * values, np.float64))


def filled(model: torch.nn.Module) -> torch.nn.Module:
    """The model in float64 and eval mode, every parameter and random buffer drawn by its name."""
    model = model.double().eval()
    norms = (torch.nn.LayerNorm, torch.nn.GroupNorm, torch.nn.modules.batchnorm._BatchNorm)
    gains = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, norms)}
    for name, parameter in model.named_parameters():
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
        mean, std = float(name in gains), 0.02 if parameter.dim() == 1 else 1 / math.sqrt(fan_in)
        parameter.data.copy_(fill(name, tuple(parameter.shape), mean, std))
    for name, module in model.named_modules():
        if isinstance(module, S4Kernel):
            module.C.data.copy_(fill(name + ".C", tuple(module.C.shape), 0, 0.5))
            module.log_dt.copy_(fill(name + ".log_dt", tuple(module.log_dt.shape), -4.6, 0.9))
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.copy_(fill(name + ".running_mean", tuple(module.running_mean.shape), 0, 0.1))
            module.running_var.copy_(fill(name + ".running_var", tuple(module.running_var.shape), 1, 0.1).abs())
    return model


def filled_head(kind: str, hidden_size: int, n_targets: int = 3) -> torch.nn.Module:
    """A head in float64, drawn by name."""
    return filled(torch.nn.ModuleDict({"head": HEADS[kind](hidden_size, n_targets)}))["head"]


def classifier(
    model_id: str, head: str = "linear", n_targets: int = 3, small: bool = True, variant: str | None = None, **options
):
    """A fresh classifier, small unless said otherwise, of the architecture's variant."""
    spec = get_model_spec(model_id)
    names = [f"target {index}" for index in range(n_targets)]
    config = model_class(model_id, "Config")(
        head=head,
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        **{**(spec.tiny if small else {}), **(spec.tiny_variants[variant] if variant else {}), **options},
    )
    return model_class(model_id, "ForSequenceClassification")(config)


def tiny_windows(model_id: str, batch: int = 2) -> torch.Tensor:
    """Windows (batch, 12, time) in float32 that the tiny configuration takes."""
    return fill(f"{model_id} windows", (batch, 12, get_model_spec(model_id).tiny_samples)).float()


def golden_inputs(config: EcgConfig) -> dict[str, torch.Tensor]:
    """The protocol's window, a longer one where the model takes one, and one with missing samples and a dead lead."""
    window, name = round(config.sampling_rate * config.window_seconds), config.model_type
    broken = fill(f"{name} nan", (1, 12, window))
    broken[0, 3, 10:60] = float("nan")
    broken[0, 5] = float("nan")
    inputs = {"main": fill(f"{name} input", (2, 12, window)), "nan": broken}
    longer = next((n for n in (2 * window + 37, 2 * window) if takes_length(config, n)), None)
    return inputs if longer is None else inputs | {"long": fill(f"{name} long", (1, 12, longer))}


def takes_length(config: EcgConfig, samples: int) -> bool:
    """Whether the configuration accepts windows of so many samples."""
    try:
        config.check_length(samples)
    except ContractError:
        return False
    return True
