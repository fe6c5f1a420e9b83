"""A tiny ECGFounder that is published, fetched, converted and used like the real one, in milliseconds."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import torch

from hf_ecg_bench.models.registry import model_class
from hf_ecg_bench.models.spec import ModelSpec, Source

SPEC_MODULE = "hf_ecg_bench.models.ecg_founder.spec"
FILE = "tiny.pth"


def small_spec(source: Source | None = None, **changes: object) -> ModelSpec:
    """ECGFounder's declaration with small widths, for a file in which the tensors have our own names."""
    spec = importlib.import_module(SPEC_MODULE).SPEC
    tiny = dict(spec.tiny)
    source = source or Source("google_drive", "id", FILE, "https://drive.google.com/file/d/id")
    return replace(
        spec, renames=(), options_from=lambda shapes: tiny, source=source, parameters=parameters(tiny), **changes
    )


def backbone(tiny: dict | None = None, seed: int = 0) -> torch.nn.Module:
    """Its backbone."""
    spec = importlib.import_module(SPEC_MODULE).SPEC
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return model_class("ecg_founder", "Model")(model_class("ecg_founder", "Config")(**(tiny or spec.tiny))).eval()


def parameters(tiny: dict) -> int:
    return sum(parameter.numel() for parameter in backbone(tiny).parameters())


def write_checkpoint(path: Path, seed: int = 0) -> Path:
    """Its checkpoint, as its authors would publish it."""
    torch.save({"state_dict": backbone(seed=seed).state_dict(), "epoch": 3}, path)
    return path
