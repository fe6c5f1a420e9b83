"""Training alone, without the rest of a run: a linear head on stored features of a narrow ECGFounder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.training.spec import RunSpec


@dataclass
class Outcome:
    """What training came to, and the classifier's outputs on the test windows."""

    fitted: Any
    logits: np.ndarray
    head: np.ndarray
    said: list[str] = field(default_factory=list)


def narrow_backbone(folder: Path) -> Path:
    """A saved ECGFounder of 16 channels."""
    import torch

    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    torch.manual_seed(1)
    model = load_model("ecg_founder", pretrained=False, base_width=16, widths=[16] * 2, depths=[1] * 2)
    return save_model(model, folder / "founder")


def linear_spec(model: Path, data: Path, output_dir: Path, **changes: Any) -> RunSpec:
    """A linear head on stored features; `overrides` are added to two epochs of batches of 64."""
    overrides = {"epochs": 2, "crops": 0, **changes.pop("overrides", {})}
    return RunSpec(
        model=str(model), task="synthetic", mode="linear", output_dir=output_dir, data=str(data), overrides=overrides,
        n_resamples=10, examples=0, **changes,
    )  # fmt: skip


def train(spec: RunSpec) -> Outcome:
    """As a run does, up to the outputs."""
    from hf_ecg_bench.training.determinism import deterministic
    from hf_ecg_bench.training.digests import input_digests
    from hf_ecg_bench.training.feeding import make_feed
    from hf_ecg_bench.training.fitting import fit
    from hf_ecg_bench.training.inputs import load

    said: list[str] = []
    inputs = load(spec, input_digests(spec, spec.task))
    with deterministic():
        feed = make_feed(inputs, said.append)
        fitted = fit(inputs, feed, said.append)
        logits = fitted.logits(feed.test)
    return Outcome(fitted, logits, feed.model.head.weight.detach().numpy().copy(), said)
