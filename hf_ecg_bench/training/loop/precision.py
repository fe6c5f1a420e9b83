"""What a run's matrix products are computed in."""

from __future__ import annotations

from typing import Any

import torch

from hf_ecg_bench.models.registry import get_model_spec, model_id_of
from hf_ecg_bench.training.protocol import Protocol


def compute_precision(protocol: Protocol, config: Any) -> str:
    """`fp32`, `fp16` or `bf16`: the protocol's, where it leaves the choice float16 on a GPU and else float32.

    Args:
        config: the model's; some are declared to be trained in float32 everywhere.
    """
    if protocol.precision != "auto":
        return protocol.precision
    known = get_model_spec(model_id_of(config.model_type))
    return "fp32" if not torch.cuda.is_available() or known.full_precision else "fp16"
