"""The convex solver: against scikit-learn and scipy, its weights of windows, its honesty, a whole run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from hf_ecg_bench.training.convex import data as convex_data
from hf_ecg_bench.training.convex import solve as convex
from hf_ecg_bench.training.convex.columns import HUBER_WIDTH
from hf_ecg_bench.training.convex.data import linear_data
from hf_ecg_bench.training.convex.lbfgs import minimise
from hf_ecg_bench.training.convex.solve import TOLERANCE, exact_gradient, solve


@dataclass
class Rows:
    """Features in memory."""

    features: np.ndarray
    record: np.ndarray

    def read(self, rows: np.ndarray) -> np.ndarray:
        return self.features[rows]


def problem(records: int = 200, size: int = 12, targets: int = 3, windows: int = 1, seed: int = 0):
    """Correlated features far from zero, yes/no targets that depend on them, a tenth of them missing."""
    rng = np.random.default_rng(seed)
    record = np.repeat(np.arange(records), windows)
    mixed = rng.normal(size=(len(record), size)) @ rng.normal(size=(size, size))
    features = (mixed * np.geomspace(0.1, 10, size) + rng.normal(size=size) * 20).astype(np.float32)
    standard = (features - features.mean(0)) / features.std(0)
    logits = standard[::windows] @ rng.normal(size=(size, targets))
    labels = (rng.random((records, targets)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    labels[rng.random(labels.shape) < 0.1] = np.nan
    return Rows(features, record), labels, np.zeros(targets, bool)


@pytest.mark.parametrize("strength", [1.0, 0.01])
def test_one_target_agrees_with_scikit_learn(strength):
    from sklearn.linear_model import LogisticRegression

    rows, labels, is_regression = problem()
    data = linear_data(rows, labels, is_regression)
    solution = solve(data, strength)
    weights, intercepts = solution.folded(data)
    standard = (rows.features - data.mean) / data.scale
    for target in range(3):
        known = ~np.isnan(labels[:, target])
        reference = LogisticRegression(C=1 / (strength * known.sum()), tol=1e-10, max_iter=10_000)
        reference.fit(standard[known], labels[known, target])
        np.testing.assert_allclose(weights[target] * data.scale, reference.coef_[0], atol=1e-4)
        at_mean = intercepts[target] + weights[target] @ data.mean
        assert at_mean == pytest.approx(reference.intercept_[0], abs=1e-4)
    assert solution.converged.all()
    assert exact_gradient(data, strength, solution).max() <= TOLERANCE


def test_positive_weights_agree_with_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rows, labels, is_regression = problem(targets=1)
    labels = np.nan_to_num(labels)
    data = linear_data(rows, labels, is_regression, np.array([4.0], np.float32))
    weights, _ = solve(data, 0.1).folded(data)
    reference = LogisticRegression(C=1 / (0.1 * len(labels)), tol=1e-10, max_iter=10_000, class_weight={0: 1, 1: 4})
    reference.fit((rows.features - data.mean) / data.scale, labels[:, 0])
    np.testing.assert_allclose(weights[0] * data.scale, reference.coef_[0], atol=1e-4)


def test_regression_targets_agree_with_scipy():
    from scipy.optimize import minimize

    rows, _, _ = problem(targets=1)
    rng = np.random.default_rng(5)
    values = (rows.features @ rng.normal(size=(12, 1)) / 30 + rng.standard_t(2, size=(200, 1))).astype(np.float64)
    values = (values - values.mean()) / values.std()
    values[:20] = np.nan
    data = linear_data(rows, values, np.array([True]))
    solution = solve(data, 0.05)
    standard, known = (rows.features - data.mean) / data.scale, ~np.isnan(values[:, 0])

    def objective(parameters):
        rest = standard[known] @ parameters[:-1] + parameters[-1] - values[known, 0]
        root = np.sqrt(rest**2 + HUBER_WIDTH**2)
        slopes = rest / root / known.sum()
        gradient = np.append(standard[known].T @ slopes + 0.05 * parameters[:-1], slopes.sum())
        return (root - HUBER_WIDTH).mean() + 0.025 * parameters[:-1] @ parameters[:-1], gradient

    reference = minimize(objective, np.zeros(13), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000})
    weights, _ = solution.folded(data)
    np.testing.assert_allclose(weights[0] * data.scale, reference.x[:-1], atol=1e-4)
    assert solution.loss == pytest.approx(
        objective(reference.x)[0] - 0.025 * reference.x[:-1] @ reference.x[:-1], abs=1e-5
    )


def test_windows_share_their_records_weight():
    rows, labels, is_regression = problem()
    twice = Rows(np.concatenate([rows.features, rows.features[:50]]), np.concatenate([rows.record, rows.record[:50]]))
    once, again = (linear_data(items, labels, is_regression) for items in (rows, twice))
    np.testing.assert_allclose(again.mean, once.mean)
    np.testing.assert_allclose(solve(again, 0.1).folded(again)[0], solve(once, 0.1).folded(once)[0], atol=1e-6)


def test_warm_start_float32_and_small_groups_change_nothing_of_note(monkeypatch):
    rows, labels, is_regression = problem(records=400, size=30, targets=7, windows=2)
    cold = linear_data(rows, labels, is_regression)
    assert cold.features.dtype == torch.float64
    solution = solve(cold, 0.01)
    expected, intercepts = solution.folded(cold)
    warm = solve(cold, 0.01, solve(cold, 1.0))
    assert warm.iterations <= solution.iterations
    np.testing.assert_allclose(warm.folded(cold)[0] * cold.scale, expected * cold.scale, atol=1e-3)
    monkeypatch.setattr(convex_data, "_CHEAP", 0)
    monkeypatch.setattr(convex_data, "_BLOCK", 128)
    monkeypatch.setattr(convex, "_AT_ONCE", 3 * len(rows.record))  # three targets at a time
    data = linear_data(rows, labels, is_regression)
    assert data.features.dtype == torch.float32
    single = solve(data, 0.01)
    assert single.converged.all()
    assert exact_gradient(data, 0.01, single).max() < 2 * TOLERANCE
    weights, offsets = single.folded(data)
    np.testing.assert_allclose(weights * data.scale, expected * cold.scale, atol=2e-3)
    np.testing.assert_allclose(rows.features @ weights.T + offsets, rows.features @ expected.T + intercepts, atol=5e-3)
    again, _ = solve(data, 0.01).folded(data)
    np.testing.assert_array_equal(again, weights)


def test_targets_without_two_classes_get_their_odds_and_constant_features_no_weight():
    rows, labels, _ = problem(targets=4)
    rows.features[:, 3] = 7.5
    labels[:, 0], labels[:, 1], labels[:, 2] = 0, 1, np.nan
    data = linear_data(rows, labels, np.array([False, False, True, False]))
    weights, intercepts = solve(data, 0.1).folded(data)
    assert not weights[:3].any()
    np.testing.assert_allclose(intercepts[:3], [np.log(0.5 / 200.5), np.log(200.5 / 0.5), 0.0], rtol=1e-6)
    assert weights[3].any()
    assert abs(weights[3, 3]) < 1e-12


def test_a_solver_that_has_not_converged_says_so():
    rows, labels, is_regression = problem()
    data = linear_data(rows, labels, is_regression)
    columns = convex.LinearColumns(data, np.arange(3), "binary")
    ridge = torch.full((13, 1), 1e-3, dtype=torch.float64)
    start, scale = data.intercepts(), torch.full((3,), 0.2, dtype=torch.float64)
    curvature = torch.ones(13, 3, dtype=torch.float64)
    early = minimise(columns, start, ridge, curvature, 1e-8 * scale, max_iterations=3)
    assert not early.converged.any()
    assert early.iterations.tolist() == [3, 3, 3]
    late = minimise(columns, start, ridge, curvature, 1e-8 * scale)
    assert late.converged.all()
    assert (late.gradient < early.gradient).all()


def test_a_linear_head_is_solved_instead_of_trained(synthetic_folder, tmp_path):
    from hf_ecg_bench.training.convex.fit import STRENGTHS
    from tests.training.fitting_small import linear_spec, narrow_backbone, train

    backbone = narrow_backbone(tmp_path)
    spec = linear_spec(backbone, synthetic_folder, tmp_path / "run")
    solved = train(dataclasses.replace(spec, overrides={"solver": "lbfgs", "crops": 0}))
    history, selection = solved.fitted.history, solved.fitted.selection
    values = [row["validation_composite"] for row in history]
    assert [row["strength"] for row in history] == list(STRENGTHS)
    assert selection["best_value"] == min(values)
    assert solved.fitted.chosen == {"strength": STRENGTHS[int(np.argmin(values))]}
    assert selection["best_epoch"] == int(np.argmin(values)) + 1
    assert selection["gradient"] < 10 * TOLERANCE
    losses = [row["train_loss"] for row in history]
    assert losses == sorted(losses, reverse=True), "a weaker penalty fits better"
    assert any("chosen on validation among 11" in note for note in solved.fitted.notes)
    trained = train(spec)
    assert selection["best_value"] < trained.fitted.selection["best_value"]
    assert solved.logits.shape == trained.logits.shape
    again = train(dataclasses.replace(spec, overrides={"solver": "lbfgs", "crops": 0}))
    np.testing.assert_array_equal(again.logits, solved.logits)


def test_the_notes_name_targets_that_did_not_converge(synthetic_folder, tmp_path, monkeypatch):
    from hf_ecg_bench.training.convex import fit as convex_fit
    from tests.training.fitting_small import linear_spec, narrow_backbone, train

    monkeypatch.setattr(convex_fit, "STRENGTHS", (1e-3,))
    monkeypatch.setattr(convex, "minimise", lambda *args: minimise(*args, max_iterations=1))
    spec = linear_spec(narrow_backbone(tmp_path), synthetic_folder, tmp_path / "run")
    outcome = train(dataclasses.replace(spec, overrides={"solver": "lbfgs", "crops": 0}))
    assert any("did not converge for 12 of 12 targets" in note and "AFIB" in note for note in outcome.fitted.notes)
    assert outcome.fitted.history[0]["not_converged"] == 12
