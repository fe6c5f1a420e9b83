"""Runs on stored features: the same as re-encoding within its interval, and computed once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.signals import counter
from hf_ecg_bench.training.stored import StoredEvaluation, StoredTraining
from tests.features.conftest import FOUNDER
from tests.training.small import small_spec


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """A folder as `convert` writes it."""
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    return save_model(
        load_model("ecg_founder", pretrained=False, seed=0, **FOUNDER), tmp_path_factory.mktemp("models") / "founder"
    )


def run_on(backbone, folder, output_dir, **changes) -> Result:
    from hf_ecg_bench.training.run import run

    changes.setdefault("mode", "linear")
    return run(small_spec(folder, output_dir, model=str(backbone), model_options={}, **changes), lambda message: None)


def test_each_epoch_takes_one_of_a_records_windows(case):
    split = case.records.splits["train"]
    stored = case.open(split_name="train", crops=2, feature_precision="fp32")
    training = StoredTraining(stored, split.records, split.targets, seed=3)
    seen = []
    for epoch in range(12):
        training.set_epoch(epoch)
        batch = training.__getitems__([5, 2])
        assert batch["record"].tolist() == [5, 2]
        np.testing.assert_array_equal(batch["labels"], split.targets[[5, 2]])
        chosen = training.windows[[5, 2]]
        assert stored.record[chosen].tolist() == [5, 2]
        assert torch.equal(batch["features"], stored.take(chosen))
        seen.append(chosen[0] - training.first[5])
        half = StoredTraining(stored.of_records(np.arange(5, 100)), split.records[5:100], split.targets[5:100], seed=3)
        half.set_epoch(epoch)
        assert half.windows[0] - half.first[0] == seen[-1], "a subset draws the same windows of its records"
    assert len(set(seen)) > 3
    assert seen == [int(counter.integers(6, 3, epoch, split.records[5])[0]) for epoch in range(12)]


def test_evaluation_has_no_crops(case):
    stored = case.open(crops=2)
    evaluation = StoredEvaluation(stored, case.records.splits["test"].targets)
    assert len(evaluation) == 148
    assert evaluation.record.tolist() == np.repeat(np.arange(37), 4).tolist()
    batch = evaluation.__getitems__([4, 5])
    assert batch["record"].tolist() == [1, 1]
    assert torch.equal(batch["features"], stored.take(np.flatnonzero(stored.is_evaluation)[4:6]))


@pytest.mark.parametrize("mode", ["linear", pytest.param("frozen", marks=pytest.mark.slow)])
def test_a_run_on_stored_features(backbone, synthetic_folder, tmp_path, mode):
    """Says what it did, agrees with re-encoding, and its saved classifier gives its predictions."""
    from transformers import AutoFeatureExtractor, AutoModelForSequenceClassification

    overrides = {"epochs": 6, "learning_rate": 3e-2}
    stored = run_on(backbone, synthetic_folder, tmp_path / "stored", mode=mode, overrides=overrides)
    facts = stored.features
    assert facts["source"] == "stored"
    assert facts["windows"].startswith("all windows without overlap and 2 random crops")
    assert facts["extracted"] == 252 * 6 - 1 + 31 * 4 + 37 * 4, "two crops are the same"
    assert facts["kind"] == {"linear": "pooled", "frozen": "tokens"}[mode]
    again = run_on(backbone, synthetic_folder, tmp_path / "again", mode=mode, seed=1, fraction=0.6, overrides=overrides)
    assert again.features["extracted"] == 0, "another seed and fraction"
    assert again.features["store"] == facts["store"]

    overrides |= {"features": "reencoded"}
    encoded = run_on(backbone, synthetic_folder, tmp_path / "encoded", mode=mode, overrides=overrides)
    assert encoded.features["source"] == "reencoded"
    one, other = (result.metrics["metrics"]["macro_auroc"] for result in (stored, encoded))
    assert other["low"] <= one["value"] <= other["high"]
    assert one["low"] <= other["value"] <= one["high"]

    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "stored" / "model")
    extractor = AutoFeatureExtractor.from_pretrained(tmp_path / "stored" / "model")
    predictions = read_predictions(tmp_path / "stored")
    rows = load_prepared(synthetic_folder).splits["test"].with_format("numpy")
    with torch.no_grad():
        logits = model(**extractor(rows[0]["signal"], sampling_rate=500)).logits[:, : len(predictions.names)]
    yes_no = np.array(predictions.kinds) == "binary"
    np.testing.assert_allclose(
        torch.sigmoid(logits).mean(0).numpy()[yes_no], predictions.predictions[0][yes_no], atol=2e-3
    )
