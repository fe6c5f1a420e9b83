"""Thresholds chosen on validation records, and what is scored at them."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation import thresholds as module
from tests.evaluation.naive import random_case


def naive_sample_f1(targets: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """Record by record, as it is defined."""
    precision, recall = [], []
    for target, score in zip(targets, scores, strict=True):
        known = ~np.isnan(target)
        called, positive = set(np.flatnonzero(known & (score >= threshold))), set(np.flatnonzero(target == 1))
        if called:
            precision.append(len(called & positive) / len(called))
        if positive:
            recall.append(len(called & positive) / len(positive))
    if not recall:
        return float("nan")
    p, r = (np.mean(values) if values else 0.0 for values in (precision, recall))
    return float(2 * p * r / (p + r)) if p + r else 0.0


def test_labels_threshold_has_the_largest_f1_of_all() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        targets, scores = random_case(rng)
        chosen = ev.choose_thresholds(targets, scores).labels
        for k in range(targets.shape[1]):
            t, s, wanted = targets[:, [k]], scores[:, [k]], chosen[k]
            if not (t == 1).any():
                assert np.isnan(wanted)
                continue
            everywhere = {c: ev.f1(t, s, [c])[0] for c in np.unique(s)}
            best = max(everywhere.values())
            assert everywhere[wanted] == pytest.approx(best, abs=1e-12)
            assert wanted == max(c for c, value in everywhere.items() if value > best - 1e-12)


@pytest.mark.parametrize("numbers", [2**21, 60])
def test_samples_threshold_has_the_largest_f1_of_all(monkeypatch, numbers) -> None:
    monkeypatch.setattr(module, "_NUMBERS", numbers)
    rng = np.random.default_rng(1)
    for _ in range(30):
        targets, scores = random_case(rng)
        chosen = ev.choose_thresholds(targets, scores).sample
        everywhere = [naive_sample_f1(targets, scores, c) for c in np.unique(scores)]
        if not (targets == 1).any():
            assert np.isnan(chosen)
            assert np.isnan(everywhere).all()
            continue
        assert naive_sample_f1(targets, scores, chosen) == pytest.approx(max(everywhere), abs=1e-12)
        assert ev.sample_f1(targets, scores, chosen) == pytest.approx(max(everywhere), abs=1e-12)


def test_many_scores_are_thinned_for_the_samples_threshold(monkeypatch) -> None:
    rng = np.random.default_rng(2)
    targets = (rng.random((200, 4)) < 0.3).astype(float)
    scores = rng.random((200, 4)) * 0.5 + 0.3 * targets
    best = ev.sample_f1(targets, scores, ev.choose_thresholds(targets, scores).sample)
    monkeypatch.setattr(module, "_CANDIDATES", 30)
    fewer = ev.choose_thresholds(targets, scores).sample
    assert fewer in scores[targets == 1]
    assert best - 0.02 < ev.sample_f1(targets, scores, fewer) <= best


def test_summary_scores_at_the_validation_thresholds() -> None:
    rng = np.random.default_rng(3)
    targets = (rng.random((300, 3)) < [0.4, 0.2, 0.1]).astype(np.float32)
    scores = (rng.random((300, 3)) * 0.6 + 0.4 * targets).astype(np.float32)
    targets[::9, 1] = np.nan
    test, validation = slice(0, 200), slice(200, 300)
    targets[validation, 2] = 0
    names, kinds = ["a", "b", "c"], ["binary"] * 3
    summary = ev.summarise(
        targets[test], scores[test], names, kinds, n_resamples=40, validation=(targets[validation], scores[validation])
    )
    chosen = ev.choose_thresholds(targets[validation], scores[validation])
    metrics = summary["metrics"]
    assert metrics["macro_f1"]["value"] == ev.macro_f1(targets[test], scores[test], chosen.labels)
    assert metrics["macro_f1"]["n_labels"] == 2, "c has no positive validation record"
    assert metrics["micro_f1"]["value"] == ev.micro_f1(targets[test], scores[test], chosen.labels)
    assert metrics["sample_fmax"]["value"] == ev.sample_f1(targets[test], scores[test], chosen.sample)
    assert metrics["sample_fmax"]["threshold"] == chosen.sample
    assert summary["targets"]["a"]["threshold"] == chosen.labels[0]
    assert np.isnan(summary["targets"]["c"]["threshold"])
    assert np.isnan(summary["targets"]["c"]["f1"]["value"])
    for name in ("macro_f1", "micro_f1", "sample_fmax", "macro_brier", "calibration_error"):
        assert metrics[name]["low"] <= metrics[name]["value"] <= metrics[name]["high"]
    assert summary["left_out"] == {}
    with pytest.raises(PredictionsError, match="validation: expected 3 targets, found 2"):
        ev.summarise(targets, scores, names, kinds, validation=(targets[:, :2], scores[:, :2]))


def test_difference_of_f1_takes_each_models_own_thresholds() -> None:
    rng = np.random.default_rng(4)
    targets = (rng.random((200, 2)) < 0.3).astype(float)
    a = rng.random((200, 2)) * 0.7 + 0.3 * targets
    b = a / 10  # the same decisions at a tenth of the thresholds
    test, other = slice(0, 120), slice(120, 200)
    named = ["x", "y"], ["binary"] * 2
    settings = {"n_resamples": 30, "validation": (targets[other], a[other])}
    with_both = ev.summarise_difference(
        targets[test], a[test], b[test], *named, **settings, validation_against=(targets[other], b[other])
    )
    assert with_both["macro_f1"] == {"value": 0, "low": 0, "high": 0, "p": 1}
    assert with_both["sample_fmax"]["value"] == 0
    assert "macro_f1" not in ev.summarise_difference(targets[test], a[test], b[test], *named, **settings)


def test_sample_f1_of_every_resample() -> None:
    rng = np.random.default_rng(5)
    targets = (rng.random((60, 3)) < 0.3).astype(float)
    scores = rng.random((60, 3))
    summary = ev.summarise(targets, scores, list("abc"), ["binary"] * 3, n_resamples=50, validation=(targets, scores))
    from hf_ecg_bench.evaluation.resampling import draw_resamples

    threshold = ev.choose_thresholds(targets, scores).sample
    counts = draw_resamples(60, n_resamples=50).counts
    rows = [np.repeat(np.arange(60), counts[:, k]) for k in range(50)]
    samples = [naive_sample_f1(targets[i], scores[i], threshold) for i in rows]
    found = summary["metrics"]["sample_fmax"]
    np.testing.assert_allclose([found["low"], found["high"]], np.percentile(samples, [2.5, 97.5]), atol=1e-12)
