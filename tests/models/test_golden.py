"""Every model computes the numbers it computed when it agreed with its oracle."""

from __future__ import annotations

import json

import pytest

from hf_ecg_bench.models.registry import list_models
from tests.models.make_golden import FOLDER, golden


@pytest.mark.parametrize("model_id", list_models())
def test_golden_values(model_id):
    expected = json.loads((FOLDER / f"{model_id}.json").read_text())
    found = golden(model_id)
    assert found.keys() == expected.keys()
    for case, values in expected.items():
        for name, numbers in values.items():
            assert found[case][name] == pytest.approx(numbers, rel=1e-9, abs=1e-10), (case, name)
