"""Policies for missing samples."""

import numpy as np
import pytest

from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals import nan

NAN = np.nan


def test_nothing_missing_returns_the_signal_itself() -> None:
    signal = np.ones((5, 2), dtype=np.float32)
    assert nan.zero(signal) == (signal, 0)
    assert nan.interpolate(signal)[0] is signal
    assert nan.error(signal, where="record 1")[0] is signal


def test_zero_counts_and_leaves_its_input_alone() -> None:
    signal = np.array([[1, NAN], [NAN, 2]], dtype=np.float32)
    filled, n_missing = nan.zero(signal)
    assert n_missing == 2
    np.testing.assert_array_equal(filled, [[1, 0], [0, 2]])
    assert filled.dtype == np.float32
    assert np.isnan(signal).sum() == 2


def test_interpolation_keeps_leading_repeats_trailing_and_leaves_empty_leads() -> None:
    signal = np.array([[NAN, 1, NAN], [2, NAN, NAN], [NAN, NAN, NAN], [6, 7, NAN], [NAN, NAN, NAN]], dtype=np.float32)
    filled, n_missing = nan.interpolate(signal)
    assert n_missing == 11
    np.testing.assert_array_equal(filled, [[NAN, 1, NAN], [2, 3, NAN], [4, 5, NAN], [6, 7, NAN], [6, 7, NAN]])


def test_error_names_record_count_and_place() -> None:
    signal = np.zeros((5, 2))
    signal[3, 1] = NAN
    with pytest.raises(DataError, match=r"record 1: 1 of 10 samples are NaN, the first at \(3, 1\)"):
        nan.error(signal, where="record 1")


@pytest.mark.parametrize(
    ("value", "expected"), [(0, False), (3e38, False), (NAN, True), (np.inf, True), (-np.inf, True)]
)
def test_has_nonfinite(value: float, expected: bool) -> None:
    signal = np.ones((3, 100), dtype=np.float32)
    signal[1, 50] = value
    assert nan.has_nonfinite(signal) is expected
