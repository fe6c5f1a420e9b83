"""Weights that are spread over the processes of a launch (FSDP, DeepSpeed), as Accelerate's configuration asks."""

from __future__ import annotations

import os
from typing import Any

from torch import nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.saying import Say


def check_sharding(trainer: Any, say: Say) -> None:
    """Refuse what could be trained but not be saved; say where Accelerate leaves out what was asked for.

    Raises:
        TrainingError: FSDP in its first version, or DeepSpeed's ZeRO-3: no process would hold the model at the end.
    """
    if trainer.is_fsdp_enabled and trainer.accelerator.state.fsdp_plugin.fsdp_version != 2:
        raise TrainingError(
            "the first version of FSDP spreads weights in a way from which the model cannot be saved here",
            fix="fsdp_version: 2 in Accelerate's configuration, or launch without FSDP",
        )
    if trainer.is_deepspeed_enabled and trainer.accelerator.state.deepspeed_plugin.zero_stage == 3:
        raise TrainingError(
            "DeepSpeed's ZeRO-3 spreads weights in a way from which the model cannot be saved here",
            fix="zero_stage: 2 in Accelerate's configuration, or launch without DeepSpeed",
        )
    for name, enabled in (("FSDP", trainer.is_fsdp_enabled), ("DEEPSPEED", trainer.is_deepspeed_enabled)):
        if os.environ.get(f"ACCELERATE_USE_{name}", "false").lower() in ("true", "1") and not enabled:
            say(f"note: Accelerate does without {name} here (it is for several GPUs): each process has the whole model")


def gather_weights(module: nn.Module) -> None:
    """Make a module that FSDP has spread an ordinary one again, with the whole weights in each process.

    All processes have to call it; nothing to do for another module. Torch has no way back of its own: what
    `fully_shard` has put on the module (a class, hooks, parameters) is taken off here.
    """
    spread = [part for part in module.modules() if isinstance(part, FSDPModule)]
    if not spread:
        return
    for part in spread:
        part.reshard()
    for owner in module.modules():
        for name, parameter in list(owner.named_parameters(recurse=False)):
            if isinstance(parameter, DTensor):
                owner._parameters[name] = nn.Parameter(parameter.full_tensor().detach(), parameter.requires_grad)
    for part in spread:
        for hooks in ("_forward_pre_hooks", "_forward_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks"):
            getattr(part, hooks).clear()
        part.__class__ = type(part).__bases__[1]
