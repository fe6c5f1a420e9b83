"""Resampling equals resampy's kaiser_best."""

import json
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals import kaiser_best, nan, resampling
from hf_ecg_bench.signals.resampling import resample, resampler

TOLERANCE = 4e-6  # millivolts, on signals of a few mV; the specification asks for 1e-5
GOLDEN = json.loads((Path(__file__).parent / "resampling_golden.json").read_text())
PAIRS = [
    (1250, 500, 100),
    (1250, 500, 250),
    (1250, 500, 240),
    (1000, 400, 500),
    (1000, 400, 240),
    (625, 250, 500),
    (600, 250, 240),
    (2500, 1000, 240),
    (5000, 500, 100),
    (5000, 500, 240),
    (4000, 400, 250),
    (900, 360, 500),
    (1000, 500, 499),
    (10, 500, 100),
    (3, 100, 500),
    (1237, 500, 257),
]


def golden_input(n: int) -> np.ndarray:
    time = np.arange(n)
    return np.stack([np.sin(0.05 * time) + 0.5 * np.cos(0.31 * time), np.cos(0.002 * time**1.5)], axis=1)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['n']}@{case['rate_in']}to{case['rate_out']}")
def test_golden_numbers(case: dict) -> None:
    result = resampler(case["n"], case["rate_in"], case["rate_out"])(golden_input(case["n"]))
    assert result.shape == (case["n_out"], 2)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result[case["rows"]], case["values"], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(
        resample(golden_input(case["n"]), case["rate_in"], case["rate_out"]), result, rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(("n", "rate_in", "rate_out"), PAIRS)
def test_equals_resampy(n: int, rate_in: float, rate_out: float) -> None:
    resampy = pytest.importorskip("resampy", reason="resampy is in the dev extra")
    signal = np.random.default_rng(n).standard_normal((n, 12))
    expected = resampy.resample(signal, rate_in, rate_out, axis=0)
    result = resampler(n, rate_in, rate_out)(signal)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(resample(signal, rate_in, rate_out), expected, rtol=0, atol=TOLERANCE)


def test_long_signals_are_resampled_without_stored_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    signal = np.random.default_rng(0).standard_normal((3000, 2))
    short = resample(signal, 500, 240)
    monkeypatch.setattr(resampling, "STORED_LENGTH", 100)
    monkeypatch.setattr(resampling, "resampler", None)
    np.testing.assert_allclose(resample(signal, 500, 240), short, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("n", "rate_in", "rate_out"), [(1250, 500, 100), (5000, 500, 240), (4000, 400, 500)])
def test_large_slow_baselines_stay_within_the_tolerance(n: int, rate_in: float, rate_out: float) -> None:
    """A constant is the worst case for rounding, and has an exact answer: the sum of the weights."""
    level = 12.0
    result = resampler(n, rate_in, rate_out)(np.full((n, 1), level))[:, 0]
    first, weights = kaiser_best.band(0, len(result), rate_in, rate_out)
    column = first[:, None] + np.arange(weights.shape[1])
    exact = level * np.where((column >= 0) & (column < n), weights, 0).sum(axis=1)
    np.testing.assert_allclose(result, exact, rtol=0, atol=1e-5)


def test_layouts_agree_and_input_is_left_alone() -> None:
    signals = np.random.default_rng(0).standard_normal((3, 1250, 12)).astype(np.float32)
    before = signals.copy()
    convert = resampler(1250, 500, 250)
    leads_first = convert.last_axis(np.ascontiguousarray(signals.transpose(0, 2, 1)))
    assert leads_first.shape == (3, 12, 625)
    assert leads_first.flags.c_contiguous
    np.testing.assert_array_equal(convert(signals), leads_first.transpose(0, 2, 1))
    np.testing.assert_allclose(convert(signals[1]), convert(signals)[1], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(signals, before)


def test_equal_rates_copy() -> None:
    signal = np.random.default_rng(0).standard_normal((100, 12)).astype(np.float32)
    for result in (resample(signal, 500, 500), resampler(100, 500, 500)(signal)):
        np.testing.assert_array_equal(result, signal)
        assert not np.shares_memory(result, signal)


def test_unusable_input_is_an_error() -> None:
    for rate in (0, -500, float("nan"), float("inf")):
        with pytest.raises(DataError, match="expected a positive number"):
            resampler(100, rate, 250)
    with pytest.raises(DataError, match="too short"):
        resampler(1, 500, 250)
    with pytest.raises(DataError, match="takes 1250"):
        resampler(1250, 500, 250)(np.zeros((1200, 12)))
    with pytest.raises(DataError, match=r"expected \(time, leads\)"):
        resample(np.zeros(100), 500, 250)
    signal = np.zeros((100, 12))
    signal[4, 2] = np.nan
    with pytest.raises(DataError, match="NaN"):
        resample(signal, 500, 250)


@pytest.mark.shared
def test_equals_the_references_windows(shared: Path) -> None:
    """Windows that the published benchmark's own code resampled, of every dataset's fixture."""
    checked = 0
    for file in sorted(shared.glob("fixtures/*/signals.npz")):
        with np.load(file) as signals:
            for key in signals.files:
                record, _, name = key.rpartition("/")
                if not name.startswith("first"):
                    continue
                seconds, rate_out = name.removeprefix("first").split("s@")
                signal = signals[f"{record}/signal"].astype(np.float32)
                rate_in = RATES.get(file.parent.name, 500)
                window = signal[: int(float(seconds) * rate_in)]
                expected = signals[key]
                # The reference lets NaN (MIMIC-IV-ECG) spread and zeroes them afterwards; we zero them first.
                result = resample(nan.zero(window)[0], rate_in, int(rate_out))
                result[np.isnan(expected)] = np.nan
                assert result.shape == expected.shape
                np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5, err_msg=f"{file} {key}")
                checked += 1
    assert checked > 20


RATES = {"ptb": 1000, "code15": 400, "code_test": 400, "echonext": 250}
