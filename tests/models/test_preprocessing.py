"""The two ways to feed each model: declared, saved, loaded and switched consistently; the original as the authors'."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from scipy import interpolate
from scipy import signal as sp
from transformers import AutoConfig, AutoFeatureExtractor

from hf_ecg_bench.errors import ContractError, UnknownNameError
from hf_ecg_bench.models.card import render_model_card
from hf_ecg_bench.models.convert import build_from_checkpoint
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.preprocessing import changed_preprocessing, preprocessing_overrides
from hf_ecg_bench.models.registry import get_model_spec, list_models, model_class
from hf_ecg_bench.signals import resampling
from hf_ecg_bench.signals.leads import LEADS

PRETRAINED = [model for model in list_models() if get_model_spec(model).pretrained]
BASELINES = [model for model in list_models() if not get_model_spec(model).pretrained]


def original_config(model_id: str, **changes):
    return model_class(model_id, "Config")(
        **{**preprocessing_overrides(get_model_spec(model_id), "original"), **changes}
    )


# ---- each model's original, written down once more, for one record x (12, 5000) at 500 Hz without missing samples ----


def founder(x: np.ndarray) -> list[np.ndarray]:
    x = sp.filtfilt(*sp.iirnotch(50, 30, 500), x)
    x = sp.sosfiltfilt(sp.butter(4, [0.67, 40], "bandpass", fs=500, output="sos"), x)
    x = x - np.stack([sp.medfilt(lead, 201) for lead in x])
    return [(x - x.mean()) / (x.std() + 1e-8)]


def merl(x: np.ndarray) -> list[np.ndarray]:
    x = x[[0, 1, 2, 3, 5, 4, *range(6, 12)]]
    return [(x - x.min()) / (x.max() - x.min() + 1e-8)]


def ked(x: np.ndarray) -> list[np.ndarray]:
    return [sp.resample(x, 1000, axis=1)[[0, 1, 2, 3, 5, 4, *range(6, 12)]]]


def hubert(x: np.ndarray) -> list[np.ndarray]:
    x = sp.filtfilt(sp.firwin(151, [0.05, 47], pass_zero=False, fs=500), 1, x)
    low, high = x.min(1, keepdims=True), x.max(1, keepdims=True)
    x = 2 * (x - low) / (high - low + 1e-8) - 1
    return [sp.decimate(half.reshape(-1), 5).reshape(12, 500) for half in (x[:, :2500], x[:, 2500:])]


def ecg_fm(x: np.ndarray) -> list[np.ndarray]:
    x = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    return [x[:, :2500], x[:, 2500:]]


def jepa(x: np.ndarray) -> list[np.ndarray]:
    return [sp.resample(x, 2500, axis=1)]


def st_mem(x: np.ndarray) -> list[np.ndarray]:
    x = sp.resample(x, 2500, axis=1)[:, :2250]
    x = sp.sosfiltfilt(sp.butter(5, 0.67, "highpass", fs=250, output="sos"), x)
    x = sp.sosfiltfilt(sp.butter(5, 40, "lowpass", fs=250, output="sos"), x)
    return [(x - x.mean()) / x.std()]


def cpc(x: np.ndarray) -> list[np.ndarray]:
    return [resampling.resample(np.clip(x, -3, 3).T, 500, 240).T]


DIRECT: dict[str, Callable[[np.ndarray], list[np.ndarray]]] = {
    "ecg_founder": founder,
    "merl": merl,
    "ecgfm_ked": ked,
    "hubert_ecg": hubert,
    "ecg_fm": ecg_fm,
    "ecg_jepa": jepa,
    "st_mem": st_mem,
    "ecg_cpc": cpc,
}


@pytest.fixture(scope="module")
def record() -> np.ndarray:
    """(5000, 12): a slow baseline, beats and mains hum, up to 4 mV."""
    t = np.arange(5000) / 500
    random = np.random.default_rng(0)
    beats = np.exp(-(((t * 1.2) % 1 - 0.5) ** 2) / 4e-4)[:, None] * random.uniform(-1.5, 4, 12)
    slow = np.sin(2 * np.pi * 0.2 * t)[:, None] * random.uniform(0, 0.3, 12)
    return (
        beats + slow + 0.02 * np.sin(2 * np.pi * 50 * t)[:, None] + 0.01 * random.standard_normal((5000, 12))
    ).astype(np.float32)


@pytest.mark.parametrize("model_id", PRETRAINED)
def test_original_input_is_the_authors(model_id, record):
    config = original_config(model_id)
    windows = EcgFeatureExtractor.from_config(config)(record, sampling_rate=500, return_tensors="np")["input_values"]
    expected = np.stack(DIRECT[model_id](record.T.astype(np.float64)))
    assert windows.dtype == np.float32
    np.testing.assert_allclose(windows, expected, rtol=0, atol=2e-6 * np.abs(expected).max())
    config.check_length(windows.shape[2])


@pytest.mark.parametrize("model_id", PRETRAINED)
def test_records_at_another_rate_become_windows_of_the_same_length(model_id, record):
    config = original_config(model_id)
    extractor = EcgFeatureExtractor.from_config(config)
    at_500 = extractor(record, sampling_rate=500, return_tensors="np")["input_values"]
    t = np.arange(4000) / 400
    slower = interpolate.interp1d(np.arange(5000) / 500, record, axis=0, fill_value="extrapolate")(t)
    at_400 = extractor(slower, sampling_rate=400, return_tensors="np")["input_values"]
    assert at_400.shape == at_500.shape
    assert np.corrcoef(at_400[0, 1], at_500[0, 1])[0, 1] > 0.9


@pytest.mark.parametrize("model_id", PRETRAINED)
def test_missing_samples_and_dead_leads_stay_finite(model_id, record):
    record = record.copy()
    record[1000:1300, 2] = np.nan
    record[:50] = np.nan
    record[:, 8] = 0
    record[:, 9] = np.nan
    extractor = EcgFeatureExtractor.from_config(original_config(model_id))
    windows = extractor(record, sampling_rate=500, return_tensors="np")["input_values"]
    assert np.isfinite(windows).all()
    assert np.isfinite(extractor(np.zeros_like(record), sampling_rate=500, return_tensors="np")["input_values"]).all()


@pytest.mark.parametrize("model_id", PRETRAINED)
def test_extractor_is_saved_with_its_steps(model_id, record, tmp_path):
    extractor = EcgFeatureExtractor.from_config(original_config(model_id), tail="shift")
    extractor.save_pretrained(tmp_path)
    stored = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert stored["preprocessing"] == "original"
    assert stored["record_steps"][0]["step"] == "fill_missing"
    loaded = AutoFeatureExtractor.from_pretrained(tmp_path)
    assert loaded.to_dict() == extractor.to_dict()
    left = extractor(record, sampling_rate=500, return_tensors="np")["input_values"]
    right = loaded(record, sampling_rate=500, return_tensors="np")["input_values"]
    np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("model_id", PRETRAINED)
def test_card_says_both_ways_and_which(model_id):
    spec = get_model_spec(model_id)
    assert spec.original is not None
    assert len(spec.original.note) > 40
    paper = render_model_card(spec, model_class(model_id, "Config")())
    own = render_model_card(spec, original_config(model_id))
    for card, way in ((paper, "paper"), (own, "original")):
        assert f"This folder does `{way}`" in card
        assert all(step.describe() in card for step in (*spec.original.record, *spec.original.window))
    assert "in mV at" in paper
    assert f"after the original preprocessing at {spec.original.rate} Hz" in own


@pytest.mark.parametrize("model_id", BASELINES)
def test_baselines_have_no_original(model_id):
    with pytest.raises(ContractError, match=f"{model_id} has no original preprocessing.*\n.*ecg_founder"):
        load_model(model_id, pretrained=False, preprocessing="original")
    assert "trained from scratch" in render_model_card(get_model_spec(model_id))


@pytest.mark.parametrize("model_id", [m for m in ("ecg_founder", "ecg_fm", "ecgfm_ked") if m in PRETRAINED])
def test_choice_is_kept_in_the_folder_and_can_be_switched(model_id, tmp_path):
    spec = get_model_spec(model_id)
    model = load_model(model_id, pretrained=False, preprocessing="original", seed=0, **spec.tiny)
    assert model.config.preprocessing == "original"
    assert model.config.sampling_rate == spec.original.rate
    assert model.config.window_seconds == spec.original.seconds
    model.save_pretrained(tmp_path)
    assert load_model(tmp_path).config.preprocessing == "original"
    back = load_model(tmp_path, preprocessing="paper")
    fresh = model_class(model_id, "Config")(**spec.tiny)
    for name in ("preprocessing", "sampling_rate", "window_seconds", *spec.original.options):
        assert getattr(back.config, name) == getattr(fresh, name)
    back.save_pretrained(tmp_path)
    again = load_model(tmp_path, preprocessing="original")
    for name in ("preprocessing", "sampling_rate", "window_seconds", *spec.original.options):
        assert getattr(again.config, name) == getattr(model.config, name)
    assert AutoConfig.from_pretrained(tmp_path).preprocessing == "paper"
    shorter = load_model(tmp_path, preprocessing="original", window_seconds=2.0)
    assert EcgFeatureExtractor.from_config(shorter.config).window_seconds == 2.0


def test_the_other_architecture_keeps_its_window():
    config = model_class("merl", "Config")(backbone="vit", preprocessing="original", window_seconds=10)
    assert changed_preprocessing(config, "paper")["window_seconds"] == 10
    assert changed_preprocessing(config, "original") == {}


def test_channels_come_in_the_original_order(record):
    extractor = EcgFeatureExtractor.from_config(original_config("merl"))
    assert extractor.leads[4:6] == ["aVF", "aVL"]
    there = extractor(record, sampling_rate=500, return_tensors="np")["input_values"]
    turned = extractor(record[:, ::-1], sampling_rate=500, leads=LEADS[::-1], return_tensors="np")["input_values"]
    np.testing.assert_array_equal(there, turned)


def test_converted_model_carries_the_choice():
    spec = get_model_spec("ecg_founder")
    backbone = model_class("ecg_founder", "Model")(model_class("ecg_founder", "Config")())
    content = {"state_dict": dict(backbone.state_dict())}
    overrides = preprocessing_overrides(spec, "original")
    model, _ = build_from_checkpoint(spec, content, "x.pth", "0" * 64, overrides)
    assert (model.config.preprocessing, model.config.window_seconds) == ("original", 10)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"preprocessing": "orignal"}, UnknownNameError, "did you mean 'original'"),
        ({"tail": "shfit"}, UnknownNameError, "did you mean 'shift'"),
        ({"record_steps": [{"step": "notch", "frequency": 50}]}, ContractError, "'paper' has no steps"),
        ({"preprocessing": "original", "window_steps": [{"step": "notsch"}]}, UnknownNameError, "did you mean 'notch'"),
    ],
)
def test_extractors_that_make_no_sense_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        EcgFeatureExtractor(**options)


def test_configurations_that_contradict_their_original_are_refused():
    with pytest.raises(UnknownNameError, match="preprocessing"):
        load_model("ecg_founder", pretrained=False, preprocessing="raw")
    wrong = model_class("ecgfm_ked", "Config")(preprocessing="original")
    with pytest.raises(ContractError, match="sampling_rate is 500 Hz; its original preprocessing ends at 100 Hz"):
        EcgFeatureExtractor.from_config(wrong)


def test_mains_hum_cannot_be_filtered_below_its_rate(record):
    extractor = EcgFeatureExtractor.from_config(original_config("ecg_founder"))
    with pytest.raises(ContractError, match=r"notch filter at 50 Hz.*impossible at 100 Hz"):
        extractor(record[::5], sampling_rate=100)
