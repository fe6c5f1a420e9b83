"""Average precision, F1, Brier score and R2 against scikit-learn, on the records and on every resample."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation import scores, weighted_precision, weighted_sums
from hf_ecg_bench.evaluation import weighted_auroc as kernel
from hf_ecg_bench.evaluation.micro import micro_curves, micro_points
from hf_ecg_bench.evaluation.resampling import draw_resamples
from tests.evaluation.naive import random_case


def of_label(metric, target, score) -> float:
    """scikit-learn's value over the known targets; NaN where a class is missing."""
    known = ~np.isnan(target)
    t, s = target[known], score[known]
    return float(metric(t, s)) if len(set(t)) == 2 else float("nan")


def of_labels(metric, targets, scores) -> np.ndarray:
    return np.array([of_label(metric, targets[:, k], scores[:, k]) for k in range(targets.shape[1])])


@pytest.mark.parametrize("piece", [64, 3])
def test_average_precision_of_every_resample(monkeypatch, piece) -> None:
    monkeypatch.setattr(weighted_precision, "_SCORES", piece)  # small pieces: their borders are crossed
    monkeypatch.setattr(kernel, "_GATHER", 200)
    rng = np.random.default_rng(1)
    for _ in range(25):
        targets, values = random_case(rng)
        indices = rng.integers(0, len(targets), size=(5, len(targets)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            got = ev.bootstrap(targets, values, indices=indices, metric="average_precision")
            micro = ev.bootstrap(targets, values, indices=indices, metric="micro_average_precision")
        expected = np.array([of_labels(sk.average_precision_score, targets[i], values[i]) for i in indices])
        np.testing.assert_allclose(got.per_target.samples, expected, rtol=0, atol=1e-12)
        plain = of_labels(sk.average_precision_score, targets, values)
        np.testing.assert_allclose(ev.average_precision(targets, values), plain, rtol=0, atol=1e-12)
        flat = [of_label(sk.average_precision_score, targets[i].ravel(), values[i].ravel()) for i in indices]
        np.testing.assert_allclose(micro.samples, flat, rtol=0, atol=1e-12)


def test_common_label_and_counts_of_patients() -> None:
    """More positives than negatives, and records drawn more often than a byte holds."""
    rng = np.random.default_rng(2)
    targets = (rng.random((300, 1)) < 0.8).astype(float)
    values = np.round(rng.normal(size=(300, 1)) + targets, 1)
    patients = np.arange(300) // 100
    got = ev.bootstrap(targets, values, groups=patients, n_resamples=20, metric="average_precision")
    counts = draw_resamples(300, n_resamples=20, groups=patients).counts
    for k in range(20):
        i = np.repeat(np.arange(300), counts[:, k])
        assert got.samples[k] == pytest.approx(sk.average_precision_score(targets[i, 0], values[i, 0]), abs=1e-12)


def test_brier_and_r2_of_every_resample(monkeypatch) -> None:
    monkeypatch.setattr(weighted_sums, "_ROWS", 7)
    rng = np.random.default_rng(3)
    targets, values = (rng.random((50, 3)) < 0.3).astype(float), rng.random((50, 3)).astype(np.float32)
    targets[rng.random((50, 3)) < 0.1] = np.nan
    numbers = rng.normal(100, 3, size=(50, 2))
    numbers[::5, 0] = np.nan
    guesses = np.nan_to_num(numbers, nan=100.0) + rng.normal(size=(50, 2))
    indices = rng.integers(0, 50, size=(6, 50))
    brier = ev.bootstrap(targets, values, indices=indices, metric="brier")
    r2 = ev.bootstrap(numbers, guesses, indices=indices, metric="r2")
    for row, i in enumerate(indices):
        for k in range(3):
            expected = of_label(sk.brier_score_loss, targets[i, k], values[i, k].astype(float))
            assert brier.per_target.samples[row, k] == pytest.approx(expected, abs=1e-12)
        for k in range(2):
            known = ~np.isnan(numbers[i, k])
            expected = sk.r2_score(numbers[i, k][known], guesses[i, k][known])
            assert r2.per_target.samples[row, k] == pytest.approx(expected, abs=1e-10)
    assert r2.value == pytest.approx(ev.macro_r2(numbers, guesses))
    assert brier.value == pytest.approx(ev.macro_brier(targets, values))


def test_r2_is_undefined_without_spread() -> None:
    targets = np.column_stack([np.full(10, 3.3), np.arange(10.0), np.full(10, np.nan)])
    values = ev.r2(targets, np.full((10, 3), 4.5))
    assert np.isnan(values[[0, 2]]).all()
    assert values[1] == pytest.approx(0.0, abs=1e-12)
    targets = np.array([[1.0], [5.0], [5.0]])
    samples = ev.bootstrap(targets, targets + 1, indices=np.array([[1, 2, 2], [0, 1, 2]]), metric="r2").samples
    assert np.isnan(samples[0])
    assert samples[1] == pytest.approx(1 - 3 / (32 / 3))


def test_f1_at_thresholds_of_every_resample() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        targets, values = random_case(rng)
        n, labels = targets.shape
        limits = rng.normal(size=labels)
        limits[rng.random(labels) < 0.2] = np.nan
        indices = rng.integers(0, n, size=(4, n))
        got = ev.bootstrap(targets, values, indices=indices, metric="f1", thresholds=limits)
        micro = ev.bootstrap(targets, values, indices=indices, metric="micro_f1", thresholds=limits)
        for row, i in enumerate(indices):
            t, s = targets[i], values[i]
            known = ~np.isnan(t)
            for k in range(labels):
                own, called = t[known[:, k], k], s[known[:, k], k] >= limits[k]
                expected = sk.f1_score(own, called) if (own == 1).any() and limits[k] == limits[k] else np.nan
                np.testing.assert_allclose(got.per_target.samples[row, k], expected, rtol=0, atol=1e-12)
            use = known & ~np.isnan(limits)
            if (t[use] == 1).any():
                assert micro.samples[row] == pytest.approx(sk.f1_score(t[use], (s >= limits)[use]), abs=1e-12)
            else:
                assert np.isnan(micro.samples[row])
    with pytest.raises(PredictionsError, match="needs thresholds"):
        ev.bootstrap(targets, values, metric="f1")
    with pytest.raises(PredictionsError, match="expected one per label"):
        ev.f1(targets, values, np.zeros(labels + 1))


def test_micro_curves_of_many_cells_have_a_value_only(monkeypatch) -> None:
    rng = np.random.default_rng(5)
    targets, values = (rng.random((40, 3)) < 0.4).astype(float), rng.random((40, 3))
    resamples = draw_resamples(40, n_resamples=5)
    for small, large in zip(micro_curves(targets, values, resamples), micro_points(targets, values, 5), strict=True):
        assert small[0] == large[0]
        assert np.isnan(large[1]).all()
    names, kinds = ["a", "b", "c"], ["binary"] * 3
    full = ev.summarise(targets, values, names, kinds, n_resamples=5)
    monkeypatch.setattr(scores, "MICRO_CELLS", 119)
    limited = ev.summarise(targets, values, names, kinds, n_resamples=5)
    assert limited["metrics"]["micro_auroc"]["value"] == full["metrics"]["micro_auroc"]["value"]
    assert np.isnan(limited["metrics"]["micro_auroc"]["low"])
    assert limited["left_out"]["micro_auroc"].startswith("no interval: 120 cells")
    assert "micro_auroc" not in full["left_out"]


def test_scores_that_are_no_probabilities_have_no_brier_score() -> None:
    targets, values = np.array([[0.0], [1.0]]), np.array([[-1.0], [2.0]])
    with pytest.raises(PredictionsError, match="probabilities from 0 to 1, found -1 to 2"):
        ev.brier(targets, values)
    with pytest.raises(PredictionsError, match="probabilities"):
        ev.calibration_error(targets, values)
    summary = ev.summarise(targets, values, ["a"], ["binary"], n_resamples=3)
    assert summary["left_out"]["macro_brier"] == "the predictions are not from 0 to 1"
    assert "brier" not in summary["targets"]["a"]


def test_threads_give_what_one_thread_gives(monkeypatch) -> None:
    from hf_ecg_bench.evaluation import parallel

    rng = np.random.default_rng(6)
    targets, values = (rng.random((60, 9)) < 0.4).astype(float), rng.random((60, 9))
    one = ev.bootstrap(targets, values, n_resamples=30)
    monkeypatch.setattr(parallel, "_WORTH", 0)
    monkeypatch.setattr(parallel, "_cores", lambda: 4)
    several = ev.bootstrap(targets, values, n_resamples=30)
    np.testing.assert_array_equal(one.per_target.samples, several.per_target.samples)
