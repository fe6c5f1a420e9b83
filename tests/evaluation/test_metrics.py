"""AUROC, MAE and composite on arrays small enough to check by hand, and against slow versions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from tests.evaluation.naive import naive_auroc, random_case

NAN = float("nan")
# Columns: separable, ties, a missing target, constant scores, one class only, no target at all.
TARGETS = np.array(
    [
        [0, 0, 0, 0, 1, NAN],
        [0, 1, 1, 1, 1, NAN],
        [1, 0, NAN, 0, 1, NAN],
        [1, 1, 1, 1, 1, NAN],
        [1, 0, 0, 0, 1, NAN],
    ]
)
SCORES = np.array(
    [
        [0.1, 0.5, 0.2, 0.3, 0.1, 0.5],
        [0.2, 0.5, 0.1, 0.3, 0.9, 0.6],
        [0.6, 0.2, 0.9, 0.3, 0.4, 0.7],
        [0.7, 0.8, 0.4, 0.3, 0.3, 0.1],
        [0.9, 0.5, 0.3, 0.3, 0.2, 0.2],
    ]
)
# By hand: ties column: positives 0.5, 0.8 against 0.5, 0.2, 0.5: (0.5 + 1 + 0.5 + 3) / 6.
# Missing column: positives 0.1, 0.4 against 0.2, 0.3: 2 of 4.
AUROC = np.array([1.0, 5 / 6, 0.5, 0.5, NAN, NAN])


def test_auroc_with_ties_missing_targets_and_undefined_labels() -> None:
    np.testing.assert_allclose(ev.auroc(TARGETS, SCORES), AUROC, rtol=0, atol=1e-15)


def test_macro_policies() -> None:
    mean = AUROC[:4].mean()
    assert ev.macro_auroc(TARGETS, SCORES) == pytest.approx(mean, abs=1e-15)
    assert ev.macro_auroc(TARGETS, SCORES, undefined="half") == pytest.approx((4 * mean + 1) / 6, abs=1e-15)
    assert np.isnan(ev.macro_auroc(TARGETS, SCORES, undefined="nan"))
    with pytest.raises(PredictionsError, match=r"2 of 6 targets \(positions 4, 5\)"):
        ev.macro_auroc(TARGETS, SCORES, undefined="raise")
    with pytest.raises(EcgBenchError, match="did you mean 'half'"):
        ev.macro_auroc(TARGETS, SCORES, undefined="halves")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(ev.macro_auroc(TARGETS[:, 4:], SCORES[:, 4:]))


def test_micro_takes_all_cells() -> None:
    keep = ~np.isnan(TARGETS)
    assert ev.micro_auroc(TARGETS, SCORES) == pytest.approx(roc_auc_score(TARGETS[keep], SCORES[keep]), abs=1e-15)


def test_auroc_equals_all_pairs_on_random_arrays() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        targets, scores = random_case(rng)
        expected = [naive_auroc(targets[:, k], scores[:, k]) for k in range(targets.shape[1])]
        np.testing.assert_allclose(ev.auroc(targets, scores), expected, rtol=0, atol=1e-14)


def test_float64_scores_are_not_rounded_into_ties() -> None:
    scores = np.array([[0.5], [0.5 + 1e-12]])
    assert ev.auroc(np.array([[0], [1]]), scores)[0] == 1.0


def test_integer_scores_beyond_float32_are_not_rounded_into_ties() -> None:
    scores = np.array([[2**24], [2**24 + 1]], dtype=np.int64)
    assert ev.auroc(np.array([[0], [1]]), scores)[0] == 1.0


def test_mae_per_target_macro_and_pooled() -> None:
    targets = np.array([[1.0, 0.0, NAN], [2.0, NAN, NAN], [4.0, NAN, NAN]])
    predictions = np.array([[1.5, 2.0, 0.0], [2.0, 9.0, 0.0], [3.0, 9.0, 0.0]])
    np.testing.assert_allclose(ev.mae(targets, predictions), [0.5, 2.0, NAN])
    assert ev.macro_mae(targets, predictions) == pytest.approx(1.25)
    assert ev.pooled_mae(targets, predictions) == pytest.approx(3.5 / 4)


def test_composite() -> None:
    targets = np.column_stack([TARGETS[:, 1], [1.0, 2.0, NAN, 0.0, 0.0]])
    predictions = np.column_stack([SCORES[:, 1], [1.0, 1.0, 5.0, 0.0, 1.0]])
    assert ev.composite(targets, predictions, ["binary", "regression"]) == pytest.approx(1 - 5 / 6 + 0.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("metric", [ev.auroc, ev.macro_auroc, ev.micro_auroc, ev.mae, ev.pooled_mae, ev.bootstrap])
def test_predictions_that_are_not_finite_are_refused(metric, bad) -> None:
    scores = SCORES.copy()
    scores[3, 5] = bad  # also where the target is missing: a diverged network must not score
    with pytest.raises(PredictionsError, match=r"row 3, target 5: the prediction is .*1 of 30 values"):
        metric(TARGETS, scores)


@pytest.mark.parametrize(
    ("targets", "predictions", "message"),
    [
        (np.zeros((3, 2)), np.zeros((2, 3)), r"found \(3, 2\) and \(2, 3\)"),
        (np.zeros(3), np.zeros(3), "one shape"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "nothing to evaluate"),
        (np.array([["a"]]), np.zeros((1, 1)), "targets: expected numbers"),
        (np.array([[None]]), np.zeros((1, 1)), "targets: expected numbers"),
        (np.array([[0.3]]), np.zeros((1, 1)), "AUROC needs targets 0, 1 or NaN, found 0.3"),
        (np.array([[np.inf]]), np.zeros((1, 1)), "target is infinite"),
    ],
)
def test_arrays_that_cannot_be_scored(targets, predictions, message) -> None:
    with pytest.raises(PredictionsError, match=message):
        ev.auroc(targets, predictions)
