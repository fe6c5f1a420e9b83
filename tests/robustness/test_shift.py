"""A model of one hospital's records on another's: which labels count as what, and the numbers that follow."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hf_ecg_bench.errors import DataError
from hf_ecg_bench.evaluation import macro_auroc
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.robustness.evaluation_files import read_evaluations
from tests.training.small import small_spec


def prepared(dataset, n, folder):
    from hf_ecg_bench.data.prepare import prepare
    from hf_ecg_bench.data.registry import get_builder

    get_builder(dataset).example(str(folder / f"{dataset}-raw"), n)
    prepare(dataset, raw_dir=str(folder / f"{dataset}-raw"), output_dir=folder / dataset)
    return folder / dataset


@pytest.mark.slow
def test_a_georgia_model_on_the_ningbo_example(tmp_path):
    from datasets import load_dataset

    from hf_ecg_bench.training.run import run

    home, there = prepared("georgia", 200, tmp_path), prepared("ningbo", 200, tmp_path)
    spec = small_spec(home, tmp_path / "run", task="georgia", evaluate_on=(str(there),), overrides={"epochs": 1})
    said: list[str] = []
    run(spec, said.append)
    (content,) = read_evaluations(spec.output_dir)
    stored, ours = read_predictions(spec.output_dir / "evaluations" / "ningbo"), read_predictions(spec.output_dir)
    test = load_dataset(str(there), split="test")
    labels = test.features["labels"].feature.names
    found = {
        record: {labels[k] for k in row} for record, row in zip(test["record_id"][:], test["labels"][:], strict=True)
    }
    # The examples are made of the same few signals: some are in both datasets.
    seen = content["dataset"]["excluded"]["test: recordings that the model was trained or selected on"]
    assert set(stored.record_id.tolist()) < set(found)
    assert len(stored) == len(found) - seen > 0
    for name, present, unsure in (("SBRAD", {"SB"}, set()), ("TAB", {"TTW"}, {"TWO", "STC"})):
        expected = [
            1.0 if found[record] & present else np.nan if found[record] & unsure else 0.0
            for record in stored.record_id.tolist()
        ]
        np.testing.assert_array_equal(stored.targets[:, stored.names.index(name)], expected)
        assert set(content["targets"][name]["present"]) == present
    assert {"SR", "NORM", "AFIB"}.isdisjoint(stored.names)
    scored = list(content["metrics"]["targets"])
    assert {"SBRAD", "TAB"} <= set(scored)
    assert scored == list(content["metrics_home"]["targets"])
    assert set(scored) | set(content["not_scored"]) == set(stored.names)
    columns = [stored.names.index(name) for name in scored]
    value = macro_auroc(stored.targets[:, columns], stored.predictions[:, columns])
    assert content["metrics"]["metrics"]["macro_auroc"]["value"] == pytest.approx(value)
    columns = [ours.names.index(content["targets"][name]["home"][0]) for name in scored]
    value = macro_auroc(ours.targets[:, columns], ours.predictions[:, columns])
    assert content["metrics_home"]["metrics"]["macro_auroc"]["value"] == pytest.approx(value)
    assert any("test records there" in warning for warning in content["warnings"])
    with pytest.raises(DataError, match=r"georgia and dataset ptb share no target"):
        run(dataclasses.replace(spec, evaluate_on=(str(prepared("ptb", 40, tmp_path)),)), said.append)
