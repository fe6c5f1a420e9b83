"""Every preprocessing step against the formula that it stands for, written down directly with scipy or a loop."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import interpolate
from scipy import signal as sp

from hf_ecg_bench.errors import ContractError, UnknownNameError
from hf_ecg_bench.signals import steps as st
from hf_ecg_bench.signals.resampling import resample

RATE = 500.0

ALL = [
    st.Notch(50, quality=30),
    st.HighPass(0.67, order=5),
    st.LowPass(40, order=5),
    st.BandPass(0.67, 40, order=4),
    st.FirBandPass(0.05, 47),
    st.MedianBaseline(0.4),
    st.FourierResample(250),
    st.LinearResample(240),
    st.KaiserResample(240),
    st.JoinedDecimation(5),
    st.ZScore("all", epsilon=1e-8),
    st.ZScore("lead"),
    st.MinMax(0, 1, "all"),
    st.MinMax(-1, 1, "lead"),
    st.Clip(0.5),
    st.FillMissing("zero"),
    st.FillMissing("interpolate"),
    st.FillMissing("local_mean"),
    st.FillMissing("record_mean"),
]


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((3, 2500, 4)).cumsum(axis=1) * 0.05


def direct(step: st.Step, x: np.ndarray) -> np.ndarray:
    """(time, leads) of one record through the formula."""
    match step:
        case st.Notch():
            return sp.filtfilt(*sp.iirnotch(50, 30, RATE), x, axis=0)
        case st.HighPass():
            return sp.sosfiltfilt(sp.butter(5, 0.67, "highpass", fs=RATE, output="sos"), x, axis=0)
        case st.LowPass():
            return sp.sosfiltfilt(sp.butter(5, 40, "lowpass", fs=RATE, output="sos"), x, axis=0)
        case st.BandPass():
            return sp.sosfiltfilt(sp.butter(4, [0.67, 40], "bandpass", fs=RATE, output="sos"), x, axis=0)
        case st.FirBandPass():
            return sp.filtfilt(sp.firwin(151, [0.05, 47], pass_zero=False, fs=RATE), 1, x, axis=0)
        case st.MedianBaseline():
            return np.stack([lead - sp.medfilt(lead, 201) for lead in x.T], axis=1)
        case st.FourierResample():
            return sp.resample(x, 1250, axis=0)
        case st.LinearResample():
            return interpolate.interp1d(np.linspace(0, 1199, len(x)), x, axis=0)(np.arange(1200))
        case st.KaiserResample():
            return resample(x, RATE, 240)
        case st.JoinedDecimation():
            return sp.decimate(x.T.reshape(-1), 5).reshape(x.shape[1], -1).T
        case st.ZScore(over="all"):
            return (x - x.mean()) / (x.std() + 1e-8)
        case st.ZScore():
            return (x - x.mean(0)) / x.std(0)
        case st.MinMax(over="all"):
            return (x - x.min()) / (x.max() - x.min() + 1e-8)
        case st.MinMax():
            return 2 * (x - x.min(0)) / (x.max(0) - x.min(0) + 1e-8) - 1
        case st.Clip():
            return np.clip(x, -0.5, 0.5)
    return x


@pytest.mark.parametrize("step", ALL, ids=lambda step: json.dumps(step.to_dict()))
def test_each_step_is_its_formula_for_every_record_and_leaves_its_input_alone(step, batch):
    before = batch.copy()
    result, rate = step(batch, RATE)
    np.testing.assert_array_equal(batch, before)
    assert result.dtype == np.float64
    expected = np.stack([direct(step, record) for record in batch])
    np.testing.assert_allclose(result, expected, rtol=0, atol=2e-5 if isinstance(step, st.KaiserResample) else 1e-12)
    assert (result.shape[1], rate) == step.output(batch.shape[1], RATE)
    one, _ = step(batch[1:2], RATE)
    np.testing.assert_allclose(one[0], result[1], rtol=0, atol=2e-6)


@pytest.mark.parametrize("step", ALL, ids=lambda step: json.dumps(step.to_dict()))
def test_each_step_survives_json_and_says_what_it_does(step):
    assert st.step_from_dict(json.loads(json.dumps(step.to_dict()))) == step
    assert len(step.describe()) > 10


def test_sections_and_coefficients_agree_to_rounding(batch):
    """The authors' band-pass runs on coefficients: of order 8 they are 2 uV off, which sections are not."""
    by_coefficients = sp.filtfilt(*sp.butter(4, [0.67, 40], "bandpass", fs=RATE), batch, axis=1)
    np.testing.assert_allclose(st.BandPass(0.67, 40)(batch, RATE)[0], by_coefficients, rtol=0, atol=1e-4)


def test_median_is_odd_and_sees_zeros_beyond_the_ends():
    x = np.random.default_rng(1).standard_normal((1, 300, 1)) + 3
    result, _ = st.MedianBaseline(0.4)(x, 100)
    expected = x[0, :, 0] - sp.medfilt(x[0, :, 0], 41)
    np.testing.assert_array_equal(result[0, :, 0], expected)
    assert result[0, 0, 0] == x[0, 0, 0] - x[0, :21, 0].min()  # 20 zeros lie below all 21 samples
    short, _ = st.MedianBaseline(0.4)(x[:, :7], 100)
    np.testing.assert_allclose(short, x[:, :7])


def test_constant_leads_and_records_become_constants():
    x = np.random.default_rng(2).standard_normal((2, 400, 3))
    x[0, :, 1] = 0.1
    x[1] = -2.7
    for step in (st.ZScore("lead"), st.ZScore("all"), st.MinMax(-1, 1, "lead"), st.MinMax(0, 1, "all")):
        assert np.isfinite(step(x, RATE)[0]).all()
    assert (st.ZScore("lead")(x, RATE)[0][0, :, 1] == 0).all()
    assert (st.ZScore("all")(x, RATE)[0][1] == 0).all()
    assert (st.MinMax(-1, 1, "lead")(x, RATE)[0][0, :, 1] == -1).all()
    assert (st.MinMax(0, 1, "all")(x, RATE)[0][1] == 0).all()


def test_missing_samples_by_each_rule():
    x = np.arange(40, dtype=np.float64).reshape(1, 20, 2)
    x[0, :2, 0] = np.nan
    x[0, 5:7, 0] = np.nan
    x[0, :, 1] = np.nan
    zero = st.FillMissing("zero")(x, RATE)[0]
    assert (zero[0, [0, 1, 5, 6], 0] == 0).all()
    assert (zero[0, :, 1] == 0).all()
    line = st.FillMissing("interpolate")(x, RATE)[0]
    np.testing.assert_array_equal(line[0, :8, 0], [0, 0, 4, 6, 8, 10, 12, 14])
    assert (line[0, :, 1] == 0).all()
    local = st.FillMissing("local_mean")(x, RATE)[0]
    assert local[0, 0, 0] == np.mean([4, 6, 8])  # samples 2, 3, 4: up to 5 after
    assert local[0, 5, 0] == np.mean([4, 6, 8, 14, 16, 18, 20])  # up to 6 before, 5 after
    assert (local[0, :, 1] == 0).all()
    record = st.FillMissing("record_mean")(x, RATE)[0]
    assert record[0, 0, 0] == record[0, 3, 1] == np.nanmean(x)
    for rule in ("zero", "interpolate", "local_mean", "record_mean"):
        assert np.isfinite(st.FillMissing(rule)(np.full((1, 30, 2), np.nan), RATE)[0]).all()


def test_lead_borders_smear_where_leads_are_joined(batch):
    x = np.zeros((1, 500, 2))
    x[0, -10:, 0] = 1.0
    joined, _ = st.JoinedDecimation(5)(x, RATE)
    apart = sp.decimate(x, 5, axis=1)
    assert np.abs(joined[0, :5, 1]).max() > 0.05
    assert np.abs(apart[0, :5, 1]).max() == 0


@pytest.mark.parametrize(
    ("step", "samples", "rate", "message"),
    [
        (st.Notch(50), 1000, 100.0, "notch filter at 50 Hz.*impossible at 100 Hz"),
        (st.BandPass(0.67, 40), 1000, 80.0, "more than 80 Hz"),
        (st.BandPass(0.67, 40), 27, 500.0, "needs more than 27 samples"),
        (st.FirBandPass(0.05, 47), 453, 500.0, "needs more than 453 samples"),
        (st.JoinedDecimation(5), 1001, 500.0, "multiple of 5"),
        (st.FourierResample(1), 100, 500.0, "too few"),
    ],
)
def test_what_is_impossible_is_refused_before_scipy_complains(step, samples, rate, message):
    with pytest.raises(ContractError, match=message):
        step(np.zeros((1, samples, 2)), rate)


def test_shortest_records_that_filters_take():
    for step in ALL[:5]:
        padding = step._padding(RATE)
        assert np.isfinite(step(np.random.default_rng(0).standard_normal((1, padding + 1, 2)), RATE)[0]).all()


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"step": "nothc", "frequency": 50}, UnknownNameError, "did you mean 'notch'"),
        ({}, UnknownNameError, "preprocessing step"),
        ({"step": "notch", "frequenzy": 50}, UnknownNameError, "did you mean 'frequency'"),
        ({"step": "notch"}, ContractError, "needs the parameters frequency, quality"),
        ({"step": "notch", "frequency": -1}, ContractError, "positive"),
        ({"step": "notch", "frequency": "50"}, ContractError, "positive"),
        ({"step": "band_pass", "low": 40, "high": 1}, ContractError, "low below high"),
        ({"step": "z_score", "over": "time"}, UnknownNameError, "way to scale"),
        ({"step": "fill_missing", "rule": "guess"}, UnknownNameError, "rule"),
        ({"step": "joined_decimation", "factor": 1}, ContractError, "above 1"),
        ({"step": "min_max", "low": 1, "high": 1, "over": "all"}, ContractError, "low below high"),
    ],
)
def test_steps_that_do_not_exist_are_refused(values, error, message):
    with pytest.raises(error, match=message):
        st.step_from_dict(values)
