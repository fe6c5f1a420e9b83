"""Every model computes the numbers it computed when it agreed with its oracle."""

from __future__ import annotations

import json
import re

import pytest
import torch

from tests.models.common import every_case
from tests.models.fills import classifier
from tests.models.make_golden import golden, golden_file, golden_losses, lora_share


def recorded(case) -> dict:
    file = golden_file(case)
    assert file.is_file(), f"no golden values: python -m tests.models.make_golden {case.model_id}"
    return json.loads(file.read_text())


@every_case
def test_golden_values(case):
    expected = recorded(case)
    expected.pop("lora")
    expected.pop("losses")
    found = golden(case)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        for what, numbers in values.items():
            assert found[name][what] == pytest.approx(numbers, rel=1e-9, abs=1e-10), (name, what)


@every_case
def test_golden_losses(case):
    """Heads, loss, groups of learning rates and batch statistics, as they were when training followed the oracles."""
    found, expected = golden_losses(case), recorded(case)["losses"]
    assert found.keys() == expected.keys()
    for how, losses in expected.items():
        assert found[how] == pytest.approx(losses, rel=1e-8), how
        assert losses[-1] < losses[0]


@every_case
def test_what_lora_trains_at_full_size(case):
    """Against the recorded numbers, and against the sizes of the layers that the patterns name."""
    found = lora_share(case)
    assert found == recorded(case)["lora"]
    with torch.device("meta"):
        model = classifier(case.model_id, small=False, **case.architecture)
    sizes = [
        (module.weight.shape[0], module.weight[0].numel())
        for name, module in model.named_modules()
        if any(re.fullmatch(pattern, name) for pattern in case.spec.lora_targets)
    ]
    assert found["layers"] == len(sizes)
    assert found["adapters"] == sum(8 * (outputs + inputs) for outputs, inputs in sizes)
