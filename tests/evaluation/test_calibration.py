"""Calibration error against a plain loop over bins."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.evaluation import calibration as module
from hf_ecg_bench.evaluation.calibration import binned_excess
from hf_ecg_bench.evaluation.resampling import draw_resamples


def plain(targets: np.ndarray, scores: np.ndarray, n_bins: int) -> float:
    """Sort, cut into equal parts, move cuts down to where equal scores begin."""
    known = ~np.isnan(targets)
    order = np.argsort(scores[known], kind="stable")
    s, t = (values[known][order].astype(float) for values in (scores, targets))
    cuts = [int(np.searchsorted(s, s[k * len(s) // n_bins])) for k in range(1, n_bins)]
    parts = np.split(np.arange(len(s)), cuts)
    return sum(abs(s[part].mean() - t[part].mean()) * len(part) for part in parts if len(part)) / len(s)


@pytest.mark.parametrize("levels", [None, 5])
@pytest.mark.parametrize("rows", [4096, 7])
def test_equals_the_plain_loop(monkeypatch, levels, rows) -> None:
    monkeypatch.setattr(module, "_ROWS", rows)
    rng = np.random.default_rng(0)
    targets = (rng.random((80, 4)) < 0.3).astype(np.float32)
    targets[rng.random((80, 4)) < 0.1] = np.nan
    scores = rng.random((80, 4)).astype(np.float32)
    if levels:
        scores = np.round(scores * levels) / levels
    for n_bins in (1, 5, 15):
        expected = plain(targets, scores, n_bins)
        assert ev.calibration_error(targets, scores, n_bins=n_bins) == pytest.approx(expected, abs=1e-9)
    _, number = binned_excess(targets, scores)
    assert number.sum() == (~np.isnan(targets)).sum()
    if not levels:
        np.testing.assert_allclose(number.sum(axis=0), number.sum() / 15, atol=1)


def test_perfect_and_hopeless() -> None:
    targets = np.array([[0.0], [1.0], [0.0], [1.0]])
    assert ev.calibration_error(targets, targets) == 0
    assert ev.calibration_error(targets, 1 - targets) == 1
    assert np.isnan(ev.calibration_error(np.full((2, 1), np.nan), np.zeros((2, 1))))


def test_the_interval_reflects_the_resamples() -> None:
    """Errors of resamples of a calibrated model lie above its own: chance is added to chance."""
    rng = np.random.default_rng(1)
    scores = rng.random((400, 2))
    targets = (rng.random((400, 2)) < scores).astype(float)
    counts = draw_resamples(400).counts
    point = ev.calibration_error(targets, scores)
    raw = [ev.calibration_error(targets[i], scores[i]) for i in (np.repeat(np.arange(400), c) for c in counts.T[:300])]
    assert np.mean(raw) > 1.2 * point
    found = ev.summarise(targets, scores, ["a", "b"], ["binary"] * 2)["metrics"]["calibration_error"]
    assert found["value"] == found["high"] == point
    assert 0 <= found["low"] < 0.5 * point
    wrong = ev.summarise(targets, scores**3, ["a", "b"], ["binary"] * 2)["metrics"]["calibration_error"]
    assert found["high"] < wrong["low"] < wrong["value"] < wrong["high"]
