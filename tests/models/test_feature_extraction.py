"""The saved feature extractor: windows a model accepts, or a refusal of what it cannot know."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.models.registry import list_models, model_class
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.resampling import resample
from tests.models.fills import classifier, takes_length


@pytest.fixture
def record() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5000, 12)).astype(np.float32)


@pytest.mark.parametrize("model_id", list_models())
def test_windows_fit_the_model(model_id, record):
    model = classifier(model_id)
    config = model_class(model_id, "Config")()
    extractor = EcgFeatureExtractor.from_config(config)
    for rate in (500, 250):
        features = extractor(record, sampling_rate=rate, return_tensors="pt")
        assert features.input_values.dtype == torch.float32
        assert tuple(features.input_values.shape[1:]) == (12, config.window_seconds * config.sampling_rate)
        assert len(features.input_values) == int(len(record) / rate // config.window_seconds)
        if takes_length(model.config, features.input_values.shape[2]):  # a tiny model may be tied to another length
            assert model(**features).logits.shape[0] == len(features.input_values)


def test_values_are_cut_then_resampled(record, tmp_path):
    extractor = EcgFeatureExtractor(sampling_rate=100)
    extractor.save_pretrained(tmp_path)
    loaded = EcgFeatureExtractor.from_pretrained(tmp_path)
    assert loaded.to_dict() == extractor.to_dict()
    windows = loaded(record, sampling_rate=500)["input_values"]
    assert windows.shape == (4, 12, 250)
    np.testing.assert_allclose(windows[1], resample(record[1250:2500], 500, 100).T, atol=1e-5)


def test_units_leads_and_missing_samples(record):
    extractor = EcgFeatureExtractor(sampling_rate=500)
    expected = extractor(record, sampling_rate=500)["input_values"]
    microvolt = extractor(record * 1000, sampling_rate=500, unit="uV")["input_values"]
    np.testing.assert_allclose(microvolt, expected, rtol=1e-5)
    swapped = extractor(record[:, ::-1], sampling_rate=500, leads=LEADS[::-1])["input_values"]
    assert np.array_equal(swapped, expected)
    record[100:200, 3] = np.nan
    assert np.isfinite(np.asarray(extractor(record, sampling_rate=500)["input_values"])).all()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda x: x, {"sampling_rate": None}, "sampling rate is not known"),
        (lambda x: x, {"sampling_rate": 0}, "positive"),
        (lambda x: x, {"sampling_rate": 50}, "too coarse"),
        (lambda x: x.T, {}, "transposed"),
        (lambda x: x[:, :8], {}, r"\(time, 12\)"),
        (lambda x: x[0], {}, r"\(time, 12\)"),
        (lambda x: x.astype(str), {}, "numbers"),
        (lambda x: x[:100], {}, "shorter"),
        (lambda x: x * 1000, {}, "no ECG in mV"),
        (lambda x: x, {"unit": "z"}, "no conversion"),
        (lambda x: x, {"leads": ("X", *LEADS[1:])}, "lead I missing"),
    ],
)
def test_what_cannot_be_known_is_refused(record, change, options, message):
    with pytest.raises(ContractError, match=message):
        EcgFeatureExtractor(sampling_rate=500)(change(record), **{"sampling_rate": 500, **options})
