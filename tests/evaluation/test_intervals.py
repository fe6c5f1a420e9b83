"""Percentile intervals, and basic ones for metrics whose resamples are biased."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.evaluation.intervals import difference_interval, metric_interval


def test_basic_interval_reflects_at_the_value() -> None:
    samples = np.linspace(0.4, 0.8, 101)
    np.testing.assert_allclose(metric_interval("auroc", np.asarray(0.5), samples, 0.9), [0.42, 0.78])
    np.testing.assert_allclose(metric_interval("average_precision", np.asarray(0.5), samples, 0.9), [0.22, 0.58])
    low, high = metric_interval("calibration_error", np.asarray(0.3), samples, 0.9)
    assert (low, high) == (0, 0.3), "within 0 to 1, and never without the value"
    values, both = np.array([0.5, 0.5, np.nan]), np.stack([samples, 0 * samples + 0.5, samples * np.nan], axis=1)
    low, high = metric_interval("average_precision", values, both, 0.9)
    np.testing.assert_allclose(low, [0.22, 0.5, np.nan])
    np.testing.assert_allclose(high, [0.58, 0.5, np.nan])


def test_difference_of_a_biased_metric() -> None:
    samples = np.linspace(-0.1, 0.3, 101)
    low, high, p = difference_interval("auroc", np.asarray(0.05), samples, 0.9)
    np.testing.assert_allclose([low, high], [-0.08, 0.28])
    assert p == pytest.approx(2 * 27 / 102)
    low, high, p = difference_interval("average_precision", np.asarray(0.121), samples, 0.9)
    np.testing.assert_allclose([low, high], [-0.038, 0.322])
    assert p == pytest.approx(2 * 16 / 102)


@pytest.mark.slow
def test_coverage_of_the_macro_average_precision() -> None:
    """What `metric_interval` says about its two kinds of intervals."""
    rng = np.random.default_rng(0)
    prevalence = np.geomspace(0.015, 0.3, 20)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        targets = (rng.random((n, 20)) < prevalence).astype(np.float32)
        return targets, (rng.normal(size=targets.shape) + 2 * targets).astype(np.float32)

    truth = np.mean([ev.macro_average_precision(*draw(100_000)) for _ in range(2)])
    basic, percentile = [], []
    for seed in range(100):
        found = ev.bootstrap(*draw(1000), n_resamples=200, seed=seed, metric="average_precision")
        low, high = np.percentile(found.samples, [2.5, 97.5])
        basic.append(found.low <= truth <= found.high)
        percentile.append(low <= truth <= high)
    assert np.mean(basic) > 0.85
    assert np.mean(percentile) < np.mean(basic)
