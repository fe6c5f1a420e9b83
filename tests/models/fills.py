"""Weights that follow from tensor names, so that expected numbers need no weight files."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch

from hf_ecg_bench.models.heads import HEADS
from hf_ecg_bench.models.registry import model_class
from hf_ecg_bench.models.s4.modeling_s4 import S4Kernel

# Small configurations: everything that a full-size model does, in milliseconds.
SMALL: dict[str, dict] = {
    "ecg_founder": {"base_width": 16, "widths": [16, 32], "depths": [2, 1]},
    "net1d": {"base_width": 16, "widths": [16, 32], "depths": [2, 1]},
    "s4": {"hidden_size": 32, "n_layers": 2, "l_max": 50},
}


def fill(key: str, shape: tuple[int, ...], mean: float = 0.0, std: float = 1.0) -> torch.Tensor:
    """mean + std * N(0, 1) in float64, seeded by the SHA-256 of the key."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    values = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(np.asarray(mean + std * values, np.float64))


def filled(model: torch.nn.Module) -> torch.nn.Module:
    """The model in float64 and eval mode, every parameter and random buffer drawn by its name."""
    model = model.double().eval()
    for name, parameter in model.named_parameters():
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
        mean, std = 0.0, 0.02 if parameter.dim() == 1 else 1 / math.sqrt(fan_in)
        if name.endswith((".norm.weight", "bn1.weight", "bn2.weight", "bn3.weight")):
            mean = 1.0
        parameter.data.copy_(fill(name, tuple(parameter.shape), mean, std))
    for name, module in model.named_modules():
        if isinstance(module, S4Kernel):
            module.C.data.copy_(fill(name + ".C", tuple(module.C.shape), 0, 0.5))
            module.log_dt.copy_(fill(name + ".log_dt", tuple(module.log_dt.shape), -4.6, 0.9))
    return model


def filled_head(kind: str, hidden_size: int, n_targets: int = 3) -> torch.nn.Module:
    """A head in float64, drawn by name."""
    return filled(torch.nn.ModuleDict({"head": HEADS[kind](hidden_size, n_targets)}))["head"]


def classifier(model_id: str, head: str = "linear", n_targets: int = 3, small: bool = True, **options):
    """A fresh classifier, small unless said otherwise."""
    names = [f"target {index}" for index in range(n_targets)]
    config = model_class(model_id, "Config")(
        head=head,
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        **{**(SMALL[model_id] if small else {}), **options},
    )
    return model_class(model_id, "ForSequenceClassification")(config)


def golden_inputs(model_id: str, window: int) -> dict[str, torch.Tensor]:
    """The protocol's window, an odd and longer one, and one with missing samples and a dead lead."""
    whole = fill(f"{model_id} input", (2, 12, window))
    broken = fill(f"{model_id} nan", (1, 12, window))
    broken[0, 3, 10:60] = float("nan")
    broken[0, 5] = float("nan")
    return {"main": whole, "long": fill(f"{model_id} long", (1, 12, 2 * window + 37)), "nan": broken}
