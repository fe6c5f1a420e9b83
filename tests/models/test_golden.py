"""Every model computes the numbers it computed when it agreed with its oracle."""

from __future__ import annotations

import json

import pytest

from hf_ecg_bench.models.registry import list_models
from tests.models.make_golden import FOLDER, VARIANTS, golden


@pytest.mark.parametrize("name", [*list_models(), *VARIANTS])
def test_golden_values(name):
    expected = json.loads((FOLDER / f"{name}.json").read_text())
    found = golden(name)
    assert found.keys() == expected.keys()
    for case, values in expected.items():
        for what, numbers in values.items():
            assert found[case][what] == pytest.approx(numbers, rel=1e-9, abs=1e-10), (case, what)
