"""Every registered model in its tiny form, for the tests that all of them pass (`test_common_*.py`).

A new model needs no code here: its spec declares the tiny configuration, its variants and its exceptions.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

import pytest
import torch
from torch import nn

from hf_ecg_bench.models.registry import get_model_spec, list_models
from hf_ecg_bench.models.spec import ModelSpec
from tests.models.fills import classifier, fill, filled, takes_length

HEADS = ("linear", "attention")


@dataclass(frozen=True)
class Case:
    """A registered model, or another architecture under its name."""

    model_id: str
    variant: str | None = None

    def __str__(self) -> str:
        return self.model_id + (f"-{self.variant}" if self.variant else "")

    @property
    def spec(self) -> ModelSpec:
        """What is declared about it."""
        return get_model_spec(self.model_id)

    @property
    def architecture(self) -> dict[str, str]:
        """Fields of the configuration that choose it at its published size: those of the variant that are words."""
        fields = self.spec.tiny_variants[self.variant] if self.variant else {}
        return {name: value for name, value in fields.items() if isinstance(value, str)}

    def build(self, head: str = "linear", **options) -> nn.Module:
        """A tiny classifier in eval mode. Its weights are drawn by name: fresh ones hide parts that start at 0."""
        return filled(classifier(self.model_id, head, variant=self.variant, **options)).float()

    def samples(self, model: nn.Module) -> int:
        """A window length that the tiny model takes."""
        return model.config.fixed_length or self.spec.tiny_samples

    def windows(self, model: nn.Module, batch: int = 2, samples: int | None = None) -> torch.Tensor:
        """Windows (batch, 12, time) in the model's dtype."""
        shape = (batch, model.config.n_leads, samples or self.samples(model))
        return fill(f"{self.model_id} windows", shape).to(model.dtype)

    def other_lengths(self, model: nn.Module) -> tuple[list[int], list[int]]:
        """Other window lengths that the configuration accepts, and those that it refuses."""
        usual = self.samples(model)
        lengths = sorted({usual - 1, usual + 1, usual // 2, 2 * usual, 2 * usual + 37})
        accepted = [length for length in lengths if takes_length(model.config, length)]
        return accepted, [length for length in lengths if length not in accepted]


CASES = [
    Case(model_id, variant) for model_id in list_models() for variant in (None, *get_model_spec(model_id).tiny_variants)
]
every_case = pytest.mark.parametrize("case", CASES, ids=str)
both_heads = pytest.mark.parametrize("head", HEADS)


def labels_for(model: nn.Module, batch: int = 2) -> torch.Tensor:
    """Labels (batch, targets) with a missing entry."""
    labels = (fill("labels", (batch, model.config.n_targets)) > 0).to(model.dtype)
    labels[0, -1] = float("nan")
    return labels


def dropout_fields(config: object) -> dict[str, float]:
    """Fields of a configuration that are probabilities of dropping something (`dropout`, `layerdrop`)."""
    return {name: value for name, value in vars(config).items() if "drop" in name and isinstance(value, float | int)}


def without_gradient(case: Case, model: nn.Module) -> set[str]:
    """Parameters that the spec declares unused with the model's head."""
    declared = [unused.names for unused in case.spec.unused_parameters if unused.head in (None, model.config.head)]
    return {name for name, _ in model.named_parameters() if any(re.match(pattern, name) for pattern in declared)}


def gradients(model: nn.Module, windows: torch.Tensor, labels: torch.Tensor, seed: int = 0) -> dict[str, torch.Tensor]:
    """The loss (as `loss`) and every parameter's gradient after one forward and backward pass."""
    model.zero_grad(set_to_none=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        loss = model(windows, labels=labels).loss
        loss.backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    return {"loss": loss.detach(), **found}


def buffers(model: nn.Module) -> dict[str, torch.Tensor]:
    """Copies of all buffers."""
    return {name: value.clone() for name, value in model.named_buffers()}


def same_tensors(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], rtol: float, atol: float) -> None:
    """Equal names and close values, with the name in the failure."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name], value, rtol=rtol, atol=atol, msg=lambda text, name=name: f"{name}: {text}"
        )


def close_to_scale(found: torch.Tensor, expected: torch.Tensor, share: float) -> None:
    """The largest difference is at most a share of the largest expected value."""
    scale = float(expected.abs().max())
    assert math.isfinite(scale)
    assert float((found.double() - expected.double()).abs().max()) <= share * scale


@cache
def shared_model(case: Case, head: str = "linear", dtype: torch.dtype = torch.float32) -> nn.Module:
    """`case.build(head)` once for all tests that leave it as it is."""
    return case.build(head).to(dtype)


def enable_checkpointing(model: nn.Module, **options) -> None:
    """By the name that this version of transformers gives it."""
    getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)(options or None)
