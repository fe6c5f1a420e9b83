"""Numbers that scikit-learn 1.7 and plain loops over resamples and pairs of records gave for a small case."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev

THRESHOLDS = [0.5, 0.45, 0.6]
# Per target, and the ends of the 95 % percentile interval of their mean over 200 resamples.
LABELS = {
    "auroc": ([0.887276785714, 0.904844290657, 0.837962962963], [0.816633898522, 0.921398380914]),
    "average_precision": ([0.888425439929, 0.862044635015, 0.507734204793], [0.60740231501, 0.861402676046]),
    "f1": ([0.736842105263, 0.682926829268, 0.4], [0.472204790823, 0.7166150728]),
    "brier": ([0.145183333333, 0.136052941176, 0.153431666667], [0.129615508823, 0.162104907945]),
}
NUMBERS = {
    "r2": ([0.598860214408, 0.504312056425], [0.398941156022, 0.631173453797]),
    "mae": ([0.542275133095, 0.560960251847], [0.499653826497, 0.61726954887]),
}
EXACT = {"rtol": 0, "atol": 1e-11}


@pytest.fixture
def labels() -> tuple[np.ndarray, np.ndarray]:
    """60 records, 3 labels, missing targets, ties. NumPy's legacy generator never changes its numbers."""
    random = np.random.RandomState(7)
    targets = (random.uniform(size=(60, 3)) < [0.5, 0.3, 0.1]).astype(float)
    scores = np.round(np.clip(0.35 * targets + 0.65 * random.uniform(size=(60, 3)), 0, 1), 2)
    targets[::7, 1] = np.nan
    return targets, scores


@pytest.fixture
def indices() -> np.ndarray:
    return np.random.RandomState(8).randint(0, 60, size=(200, 60))


@pytest.mark.parametrize("metric", LABELS)
def test_metrics_of_labels(labels, indices, metric) -> None:
    values, ends = LABELS[metric]
    limits = THRESHOLDS if metric == "f1" else None
    found = ev.bootstrap(*labels, indices=indices, metric=metric, thresholds=limits)
    np.testing.assert_allclose(found.per_target.value, values, **EXACT)
    np.testing.assert_allclose(np.percentile(found.samples, [2.5, 97.5]), ends, **EXACT)
    if metric == "average_precision":  # the basic interval
        ends = [2 * found.value - ends[1], 2 * found.value - ends[0]]
    np.testing.assert_allclose([found.low, found.high], ends, **EXACT)
    assert found.value == pytest.approx(np.mean(values), abs=1e-11)


def test_micro_metrics(labels) -> None:
    assert ev.micro_auroc(*labels) == pytest.approx(0.8782679738562091, abs=1e-12)
    assert ev.micro_average_precision(*labels) == pytest.approx(0.804472926260028, abs=1e-12)


@pytest.mark.parametrize("metric", NUMBERS)
def test_metrics_of_numbers(indices, metric) -> None:
    values, ends = NUMBERS[metric]
    targets = np.random.RandomState(9).normal(size=(60, 2))
    guesses = 0.6 * targets + np.random.RandomState(10).normal(size=(60, 2)) * 0.5
    found = ev.bootstrap(targets, guesses, indices=indices, metric=metric)
    np.testing.assert_allclose(found.per_target.value, values, **EXACT)
    np.testing.assert_allclose([found.low, found.high], ends, **EXACT)


def test_delong_with_two_records_a_patient(labels) -> None:
    targets, scores = labels
    areas, covariance = ev.delong_covariance(targets[:, 0], scores[:, :2], groups=np.arange(60) // 2)
    np.testing.assert_allclose(areas, [0.8872767857142857, 0.48046875], rtol=0, atol=1e-14)
    expected = [[0.0018063503156196016, 0.0008416886488913279], [0.0008416886488913279, 0.004498750831845793]]
    np.testing.assert_allclose(covariance, expected, rtol=1e-12)
