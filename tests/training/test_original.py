"""A run on the authors' own preprocessing: its model, extractor, plan and result say so and agree."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hf_ecg_bench.errors import ContractError, UnknownNameError
from hf_ecg_bench.models.registry import get_model_spec
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.sections import title_of
from hf_ecg_bench.results.tables import comparison_tables, to_row
from tests.training.small import small_spec

MODEL = "ecg_founder"


@pytest.fixture(scope="module")
def finished(synthetic_folder, tmp_path_factory):
    """A finished run: (spec, result, lines said)."""
    from hf_ecg_bench.training.run import run

    said: list[str] = []
    spec = small_spec(
        synthetic_folder,
        tmp_path_factory.mktemp("original") / "run",
        model=MODEL,
        model_options=dict(get_model_spec(MODEL).tiny),
        preprocessing="original",
        limit=64,
        overrides={"epochs": 1},
    )
    return spec, run(spec, said.append), said


def test_plan_result_and_report_say_original(finished):
    spec, result, said = finished
    assert "original, on whole records at 500 Hz" in said[0]
    assert "band-pass 0.67 to 40 Hz" in said[0]
    assert result.preprocessing == "original"
    stored = Result.load(spec.output_dir)
    assert stored.signal["window"] == 5000
    assert stored.signal["record_steps"][1] == {"step": "notch", "frequency": 50, "quality": 30}
    assert json.loads((spec.output_dir / "run.json").read_text())["preprocessing"] == "original"
    assert any("original preprocessing" in warning for warning in stored.warnings)
    assert to_row(stored)["preprocessing"] == "original"
    assert title_of(stored) == "ecg_founder, scratch, original preprocessing"
    (table,) = comparison_tables([stored])
    assert [column.title for column in table.columns][:3] == ["Model", "Mode", "Preprocessing"]
    assert table.rows[0][2].text == "original"


def test_saved_model_and_extractor_give_the_stored_predictions(finished, synthetic_folder):
    import torch
    from datasets import load_dataset
    from transformers import AutoFeatureExtractor, AutoModelForSequenceClassification

    import hf_ecg_bench.models  # noqa: F401

    spec, _, _ = finished
    model = AutoModelForSequenceClassification.from_pretrained(spec.output_dir / "model")
    assert (model.config.preprocessing, model.config.window_seconds) == ("original", 10)
    extractor = AutoFeatureExtractor.from_pretrained(spec.output_dir / "model")
    assert extractor.preprocessing == "original"
    stored = read_predictions(spec.output_dir)
    binary = np.array([kind == "binary" for kind in stored.kinds])
    test = load_dataset(str(synthetic_folder), split="test")
    for row in range(3):
        features = extractor(test[row]["signal"], sampling_rate=500)
        with torch.no_grad():
            probabilities = model(**features).logits.sigmoid().mean(0).numpy()
        np.testing.assert_allclose(probabilities[binary], stored.predictions[row][binary], atol=1e-5)


def test_another_preprocessing_is_another_run(finished):
    from dataclasses import replace

    spec, _, _ = finished
    assert spec.identity() != replace(spec, preprocessing="paper").identity()
    with pytest.raises(UnknownNameError, match="did you mean 'original'"):
        replace(spec, preprocessing="orignal")


def test_a_baseline_has_no_original(synthetic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    spec = small_spec(synthetic_folder, tmp_path / "run", preprocessing="original")
    with pytest.raises(ContractError, match="s4 has no original preprocessing"):
        run(spec, lambda line: None)
    assert not (tmp_path / "run" / "result.json").exists()
