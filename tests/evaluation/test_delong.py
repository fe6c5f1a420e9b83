"""DeLong against an independent implementation over all pairs of records, and against resampling."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.errors import EcgBenchError


def pairs_covariance(target, scores, patients) -> tuple[np.ndarray, np.ndarray]:
    """Obuchowski 1997, formula by formula: sums over patients of components from the matrix of all pairs."""
    positive, negative = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    m, n = len(positive), len(negative)
    areas, components = [], []
    for score in scores.T:
        wins = np.array([[(score[i] > score[j]) + (score[i] == score[j]) / 2 for j in negative] for i in positive])
        area = wins.mean()
        areas.append(area)
        of_positive = dict(zip(positive, wins.mean(axis=1) - area, strict=True))
        of_negative = dict(zip(negative, wins.mean(axis=0) - area, strict=True))
        components.append((of_positive, of_negative))
    known = [i for i in range(len(target)) if not np.isnan(target[i])]
    everyone = sorted({patients[i] for i in known})
    sums = np.array(
        [
            [[sum(v for i, v in part.items() if patients[i] == own) for own in everyone] for part in pair]
            for pair in components
        ]
    )
    i10, i01, i = (len({patients[k] for k in rows}) for rows in (positive, negative, known))
    covariance = np.empty((len(areas), len(areas)))
    for a in range(len(areas)):
        for b in range(len(areas)):
            s10 = i10 / ((i10 - 1) * m) * (sums[a, 0] * sums[b, 0]).sum()
            s01 = i01 / ((i01 - 1) * n) * (sums[a, 1] * sums[b, 1]).sum()
            s11 = i / (i - 1) * ((sums[a, 0] * sums[b, 1]).sum() + (sums[b, 0] * sums[a, 1]).sum()) / 2
            covariance[a, b] = s10 / m + s01 / n + 2 * s11 / (m * n)
    return np.array(areas), covariance


@pytest.fixture
def example() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    target = (rng.random(90) < 0.3).astype(float)
    target[::13] = np.nan
    scores = np.round(rng.normal(size=(90, 2)) + np.nan_to_num(target)[:, None], 1)
    return target, scores, np.array([f"p{i // 3}" for i in range(90)])


@pytest.mark.parametrize("by_patient", [False, True])
def test_equals_all_pairs(example, by_patient) -> None:
    target, scores, patients = example
    expected = pairs_covariance(target, scores, patients if by_patient else np.arange(90))
    got = ev.delong_covariance(target, scores, groups=patients if by_patient else None)
    for own, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-15)


def test_patients_with_the_same_record_twice_count_once(example) -> None:
    target, scores, _ = example
    twice = np.repeat(np.arange(90), 2)
    _, once = ev.delong_covariance(target, scores)
    _, naive = ev.delong_covariance(target[twice], scores[twice])
    _, clustered = ev.delong_covariance(target[twice], scores[twice], groups=twice)
    np.testing.assert_allclose(clustered, once, rtol=1e-12)
    assert (np.diag(naive) < 0.6 * np.diag(once)).all()


def test_interval(example) -> None:
    target, scores, _ = example
    known = ~np.isnan(target)
    area = ev.auroc(target[:, None], scores[:, :1])[0]
    normal = ev.delong_interval(target, scores[:, 0], scale="normal")
    error = np.sqrt(ev.delong_covariance(target, scores)[1][0, 0])
    assert (normal.value, normal.standard_error) == (pytest.approx(area), pytest.approx(error))
    np.testing.assert_allclose([normal.low, normal.high], area + 1.959963984540054 * error * np.array([-1, 1]))
    logit = ev.delong_interval(target, scores[:, 0])
    centre, half = np.log(area / (1 - area)), 1.959963984540054 * error / (area * (1 - area))
    np.testing.assert_allclose([logit.low, logit.high], 1 / (1 + np.exp(-centre + half * np.array([1, -1]))))
    bootstrap = ev.bootstrap(target[known, None], scores[known, :1])
    assert logit.low == pytest.approx(bootstrap.low, abs=0.03)
    assert logit.high == pytest.approx(bootstrap.high, abs=0.03)
    narrow = ev.delong_interval(target, scores[:, 0], confidence=0.5)
    assert logit.low < narrow.low < narrow.value < narrow.high < logit.high


def test_interval_where_there_is_nothing_to_say() -> None:
    perfect = ev.delong_interval([0, 0, 1, 1], [1, 2, 3, 4])
    assert (perfect.value, perfect.standard_error) == (1, 0)
    assert np.isnan([perfect.low, perfect.high]).all()
    single = ev.delong_interval([0, 0, 1], [1, 3, 2])
    assert single.value == 0.5
    assert np.isnan([single.standard_error, single.low, single.high]).all()
    assert np.isnan(ev.delong_interval([0, 0], [1, 3]).value)
    with pytest.raises(EcgBenchError, match="unknown scale 'log'"):
        ev.delong_interval([0, 1], [1, 2], scale="log")
    with pytest.raises(EcgBenchError, match="confidence"):
        ev.delong_interval([0, 1], [1, 2], confidence=95)


def test_paired_test(example) -> None:
    target, scores, patients = example
    found = ev.delong_test(target, scores[:, 0], scores[:, 1], groups=patients)
    areas, c = ev.delong_covariance(target, scores, groups=patients)
    assert found.areas == pytest.approx(tuple(areas))
    assert found.z == pytest.approx((areas[0] - areas[1]) / np.sqrt(c[0, 0] + c[1, 1] - 2 * c[0, 1]))
    assert found.low < found.value < found.high
    from scipy.stats import norm

    assert found.p == pytest.approx(2 * norm.sf(abs(found.z)))
    same = ev.delong_test(target, scores[:, 0], np.exp(scores[:, 0]))
    assert (same.value, same.standard_error, same.p) == (0, 0, 1)
    other = ev.delong_test(target, scores[:, 1], scores[:, 0], groups=patients)
    assert (other.value, other.p) == (pytest.approx(-found.value), pytest.approx(found.p))
    assert np.isnan(ev.delong_test([0, 0, 1], [1, 2, 3], [3, 2, 1]).p)


def test_p_values_are_uniform_where_there_is_no_difference() -> None:
    """Two equally good models of 120 records, four a patient that share their luck: 5 % of tests find something."""
    rng = np.random.default_rng(1)
    patients = np.arange(120) // 4
    p = []
    for _ in range(300):
        target = (rng.random(120) < 0.4).astype(float)
        shared = rng.normal(size=(30, 2))[patients]
        scores = target[:, None] + shared * np.sqrt(0.7) + rng.normal(size=(120, 2)) * np.sqrt(0.3)
        p.append(ev.delong_test(target, scores[:, 0], scores[:, 1], groups=patients).p)
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09
    assert 0.42 < np.mean(p) < 0.58


def test_compare_adjusts_p_over_its_targets() -> None:
    rng = np.random.default_rng(2)
    targets = (rng.random((150, 4)) < 0.4).astype(float)
    targets[:, 3] = 0
    a, b = (rng.normal(size=(150, 4)) + k * targets for k in (1.5, 1.0))
    found = ev.compare(targets, a, b, n_resamples=200).per_target
    np.testing.assert_array_equal(found.p_adjusted[:3], ev.holm(found.p[:3]))
    assert np.isnan(found.p_adjusted[3])
    assert (found.p_adjusted[:3] >= found.p[:3]).all()
