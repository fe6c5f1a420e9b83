"""Transferability scores against direct maximisation, least squares and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.covariance import ledoit_wolf as sklearn_ledoit_wolf
from sklearn.linear_model import Ridge

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.selecting.transfer.columns import make_targets
from hf_ecg_bench.selecting.transfer.h_score import h_score, ledoit_wolf
from hf_ecg_bench.selecting.transfer.logme import logme
from hf_ecg_bench.selecting.transfer.moments import moments
from hf_ecg_bench.selecting.transfer.neighbours import neighbour_predictions
from hf_ecg_bench.selecting.transfer.probe import PENALTIES, probe


def made(n: int = 120, dim: int = 7, seed: int = 0):
    """Features, two yes/no targets that they say something about, one number, one constant label."""
    random = np.random.default_rng(seed)
    f = random.standard_normal((n, dim)) @ random.standard_normal((dim, dim)) + 0.3
    z = f @ random.standard_normal((dim, 3)) + random.standard_normal((n, 3))
    y = np.column_stack([z[:, 0] > 0, z[:, 1] > 1, z[:, 2], np.zeros(n)]).astype(float)
    return f, y, [False, False, True, False]


def naive_evidence(f, y, alpha, beta):
    """log p(y) of y ~ N(0, I / beta + F F' / alpha), per record: no eigenvectors, no fixed point."""
    covariance = np.eye(len(f)) / beta + f @ f.T / alpha
    _, log_determinant = np.linalg.slogdet(covariance)
    return -0.5 * (y @ np.linalg.solve(covariance, y) + log_determinant + len(f) * np.log(2 * np.pi)) / len(f)


def test_logme_is_the_maximum_of_the_evidence():
    f, y, kinds = made()
    found = logme(f, make_targets(y, kinds))
    for column in range(3):
        direct = minimize(
            lambda x, column=column: -naive_evidence(f, y[:, column], *np.exp(x)), np.zeros(2), method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 2000},
        )  # fmt: skip
        assert found[column] == pytest.approx(-direct.fun, abs=1e-7)
    assert np.isnan(found[3])


def test_logme_with_more_features_than_records():
    f, y, kinds = made(30, 50)
    found = logme(f, make_targets(y, kinds, support=3))
    direct = max(naive_evidence(f, y[:, 0], a, b) for a in np.logspace(-3, 6, 60) for b in np.logspace(-1, 3, 60))
    assert found[0] >= direct - 1e-9
    assert found[0] == pytest.approx(direct, abs=0.02)


def test_missing_targets_are_as_if_the_records_were_not_there():
    f, y, kinds = made()
    y[::3, 0] = np.nan
    kept = ~np.isnan(y[:, 0])
    whole, part = make_targets(y, kinds), make_targets(y[kept], kinds)
    for score in (logme, h_score):
        assert score(f, whole)[0] == pytest.approx(score(f[kept], part)[0], rel=1e-9)


def test_h_score_is_that_of_the_definition():
    f, y, kinds = made()
    found = h_score(f, make_targets(y, kinds), shrink=False)
    covariance = np.cov(f.T, bias=True)
    means = np.where(y[:, :1] == 1, f[y[:, 0] == 1].mean(0), f[y[:, 0] == 0].mean(0))
    assert found[0] == pytest.approx(np.trace(np.linalg.inv(covariance) @ np.cov(means.T, bias=True)), rel=1e-9)
    centred, number = f - f.mean(0), y[:, 2] - y[:, 2].mean()
    rest = number - centred @ np.linalg.lstsq(centred, number, rcond=None)[0]
    assert found[2] == pytest.approx(1 - (rest @ rest) / (number @ number), rel=1e-9)


def test_shrunken_h_score_is_that_of_the_shrunken_covariance():
    f, y, kinds = made(40, 30)
    covariance, lost = sklearn_ledoit_wolf(f)
    assert 0 < lost < 1
    assert ledoit_wolf(moments(f, y[:, :1], centred=True)) == pytest.approx(lost, rel=1e-9)
    means = np.where(y[:, :1] == 1, f[y[:, 0] == 1].mean(0), f[y[:, 0] == 0].mean(0))
    expected = (1 - lost) * np.trace(np.linalg.inv(covariance) @ np.cov(means.T, bias=True))
    assert h_score(f, make_targets(y, kinds, support=3))[0] == pytest.approx(expected, rel=1e-9)


def test_neighbours_are_those_of_a_plain_loop_and_never_of_the_same_patient():
    f, y, kinds = made()
    y[::5, 1] = np.nan
    patients = np.arange(len(f)) // 3
    found = neighbour_predictions(f, make_targets(y, kinds), patients, k=6)
    z = (f - f.mean(0)) / f.std(0)
    for i in range(len(f)):
        others = np.flatnonzero(patients != patients[i])
        near = others[np.argsort(((z[others] - z[i]) ** 2).sum(1))[:6]]
        np.testing.assert_allclose(found[i], np.nanmean(y[near], axis=0), rtol=1e-6)


def test_fewer_other_records_than_neighbours():
    f, y, kinds = made(30)
    patients = np.array([0] * 28 + [1, 1])
    found = neighbour_predictions(f, make_targets(y, kinds, support=1), patients, k=20)
    np.testing.assert_allclose(found[0], y[28:].mean(0))


def test_a_patients_copies_do_not_help_neighbours_nor_the_probe():
    random = np.random.default_rng(0)
    f = np.repeat(random.standard_normal((100, 40)), 2, axis=0)
    y = np.repeat(random.permutation(np.arange(100) % 2), 2)[:, None].astype(float)
    targets, patients = make_targets(y), np.repeat(np.arange(100), 2)
    for predictions in (neighbour_predictions(f, targets, patients), probe(f, targets, patients).predictions):
        assert np.corrcoef(predictions[:, 0], y[:, 0])[0, 1] < 0.3
    strangers = neighbour_predictions(f, targets, np.arange(200), k=1)  # each copy the other's nearest
    np.testing.assert_array_equal(strangers, y)


def test_probe_is_ridge_regression_without_the_fold():
    f, y, kinds = made()
    found = probe(f, make_targets(y, kinds), np.arange(len(f)), folds=4, seed=3)
    fold = np.random.default_rng(3).permutation(len(f)) % 4
    z = (f - f.mean(0)) / f.std(0)
    for column in range(3):
        assert found.penalty[column] in PENALTIES
        for number in range(4):
            out = fold == number
            covariance = np.cov(z[~out].T, bias=True)
            unit = np.trace(covariance) / len(covariance) * (~out).sum()
            model = Ridge(alpha=found.penalty[column] * unit).fit(z[~out], y[~out, column])
            np.testing.assert_allclose(found.predictions[out, column], model.predict(z[out]), rtol=1e-6, atol=1e-8)
    assert np.isnan(found.predictions[:, 3]).all()


def test_wrong_input_is_refused():
    f, y, kinds = made()
    with pytest.raises(EcgBenchError, match="0, 1 or NaN"):
        make_targets(y)
    with pytest.raises(EcgBenchError, match="finite"):
        logme(np.where(f > 2, np.inf, f), make_targets(y, kinds))
    with pytest.raises(EcgBenchError, match="expected float features"):
        h_score(f[:-1], make_targets(y, kinds))
    with pytest.raises(EcgBenchError, match="more than one patient"):
        neighbour_predictions(f, make_targets(y, kinds), np.zeros(len(f)))
    with pytest.raises(EcgBenchError, match="5 folds need"):
        probe(f, make_targets(y, kinds), np.arange(len(f)) % 3)
